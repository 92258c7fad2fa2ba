#include "moco/backbones/batch_norm.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <c10/util/BFloat16.h>
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "moco/backbones/batch_norm_kernels.h"

namespace moco {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

constexpr double kEps = 1e-5;
constexpr double kMomentum = 0.1;

// A batch in channels_last is a matrix with a row of channels for each pixel. Each part of the
// batch is divided into blocks of rows, and a thread works on one block at a time. Sums are taken
// within each block and then over the blocks in order, so that they do not depend on the number of
// threads.
class Rows {
 public:
  Rows(const at::Tensor& x, int64_t parts)
      : parts_(parts),
        rows_(x.size(0) / parts * x.size(2) * x.size(3)),
        channels_(x.size(1)),
        blocks_((rows_ + kBlock - 1) / kBlock) {}

  int64_t parts() const { return parts_; }
  int64_t channels() const { return channels_; }
  int64_t of_part() const { return rows_; }
  int64_t blocks() const { return parts_ * blocks_; }
  int64_t of_block(int64_t block) const {
    return std::min(kBlock, rows_ - block % blocks_ * kBlock);
  }

  // Calls f(block, offset of its first value, offset of its part's first statistic) for each block.
  template <class F>
  void ForBlocks(const F& f) const {
    at::parallel_for(0, blocks(), Grain(kBlock * channels_), [&](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; ++block) {
        const int64_t part = block / blocks_, row = block % blocks_ * kBlock;
        f(block, (part * rows_ + row) * channels_, part * channels_);
      }
    });
  }

  // For each part and channel, sums f(rows of the block, offset of the block's statistic, offset of
  // the part's) over the part's blocks.
  template <class F>
  std::vector<double> Sum(const F& f) const {
    std::vector<double> sums(parts_ * channels_);
    at::parallel_for(0, channels_, Grain(blocks()), [&](int64_t begin, int64_t end) {
      for (int64_t block = 0; block < blocks(); ++block) {
        const int64_t from = block * channels_, to = block / blocks_ * channels_;
        const double rows = of_block(block);
        for (int64_t c = begin; c < end; ++c) sums[to + c] += f(rows, from + c, to + c);
      }
    });
    return sums;
  }

 private:
  static constexpr int64_t kBlock = 128;

  // The number of blocks of this many values that justify a thread.
  static int64_t Grain(int64_t values) { return std::max<int64_t>(1, 32768 / values); }

  const int64_t parts_, rows_, channels_, blocks_;
};

// Returns the values from an offset on; null for an undefined tensor.
template <class T>
const T* Data(const at::Tensor& t, int64_t offset = 0) {
  return t.defined() ? static_cast<const T*>(t.const_data_ptr()) + offset : nullptr;
}

template <class T>
T* MutableData(const at::Tensor& t, int64_t offset = 0) {
  return t.defined() ? static_cast<T*>(t.mutable_data_ptr()) + offset : nullptr;
}

at::Tensor ChannelsLast(const at::Tensor& t) {
  return t.defined() ? t.contiguous(at::MemoryFormat::ChannelsLast) : t;
}

// Calls f with a value of x's type.
template <class F>
void Dispatch(const at::Tensor& x, const F& f) {
  switch (x.scalar_type()) {
    case at::kFloat:
      return f(float());
    case at::kDouble:
      return f(double());
    case at::kBFloat16:
      return f(c10::BFloat16());
    default:
      TORCH_CHECK(false, "batch normalisation of ", x.scalar_type(), " is not implemented");
  }
}

// Normalisation by the batch's own statistics, and the operation that follows it, in three passes
// over the batch. PyTorch's own implementation takes six, and a further copy of the batch for each
// part.
class TrainingNorm : public torch::autograd::Function<TrainingNorm> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& input,
                            const std::optional<at::Tensor>& given_residual,
                            const at::Tensor& weight, const at::Tensor& bias,
                            const at::Tensor& running_mean, const at::Tensor& running_var,
                            int64_t parts, int64_t then) {
    const at::Tensor x = ChannelsLast(input),
                     residual = ChannelsLast(given_residual.value_or(at::Tensor()));
    const at::Tensor y = at::empty_like(x);
    const at::Tensor mean = at::empty({parts, x.size(1)}, weight.options());
    const at::Tensor inverse = at::empty_like(mean);  // of the standard deviation
    Dispatch(x, [&](auto type) {
      using T = decltype(type);
      Forward<T>(Rows(x, parts), static_cast<Then>(then), x, residual, weight, bias, running_mean,
                 running_var, mean, inverse, y);
    });
    ctx->saved_data["parts"] = parts;
    ctx->saved_data["then"] = then;
    ctx->save_for_backward(
        {x, Then(then) == Then::kNothing ? at::Tensor() : y, weight, mean, inverse});
    return y;
  }

  static tensor_list backward(AutogradContext* ctx, tensor_list gradients) {
    const int64_t parts = ctx->saved_data["parts"].toInt();
    const Then then = static_cast<Then>(ctx->saved_data["then"].toInt());
    const tensor_list saved = ctx->get_saved_variables();
    const at::Tensor &x = saved[0], &y = saved[1], &weight = saved[2], &mean = saved[3],
                     &inverse = saved[4];
    const at::Tensor dy = ChannelsLast(gradients[0]), dx = at::empty_like(x),
                     dz = then == Then::kAddRelu ? at::empty_like(x) : at::Tensor(),
                     dweight = at::zeros_like(weight), dbias = at::zeros_like(weight);
    Dispatch(x, [&](auto type) {
      using T = decltype(type);
      Backward<T>(Rows(x, parts), then, dy, y, x, weight, mean, inverse, dx, dz, dweight, dbias);
    });
    return {dx, dz, dweight, dbias, {}, {}, {}, {}};
  }

 private:
  template <class T>
  static void Forward(const Rows& rows, Then then, const at::Tensor& x, const at::Tensor& residual,
                      const at::Tensor& weight, const at::Tensor& bias,
                      const at::Tensor& running_mean, const at::Tensor& running_var,
                      const at::Tensor& mean, const at::Tensor& inverse, const at::Tensor& y) {
    using W = Wide<T>;
    const int64_t channels = rows.channels(), n = rows.of_part();
    std::vector<W> means(rows.blocks() * channels), squares(means.size());
    rows.ForBlocks([&](int64_t block, int64_t values, int64_t) {
      ComputeMoments(Data<T>(x, values), rows.of_block(block), channels, &means[block * channels],
                     &squares[block * channels]);
    });
    std::vector<double> average =
        rows.Sum([&](double of_block, int64_t at, int64_t) { return means[at] * of_block; });
    for (double& a : average) a /= n;
    const std::vector<double> distances =
        rows.Sum([&](double of_block, int64_t at, int64_t of_part) {
          const double d = means[at] - average[of_part];
          return squares[at] + d * d * of_block;
        });

    std::vector<W> scale(average.size());
    for (int64_t i = 0; i < average.size(); ++i) {
      MutableData<W>(mean)[i] = average[i];
      MutableData<W>(inverse)[i] = 1 / std::sqrt(distances[i] / n + kEps);
      scale[i] = Data<W>(weight)[i % channels] * Data<W>(inverse)[i];
    }
    // The running variance is unbiased; several parts contribute the mean of theirs.
    for (int64_t c = 0; c < channels; ++c) {
      double m = 0, v = 0;
      for (int64_t i = c; i < average.size(); i += channels) {
        m += average[i] / rows.parts();
        v += distances[i] / (n - 1) / rows.parts();
      }
      W &rm = MutableData<W>(running_mean)[c], &rv = MutableData<W>(running_var)[c];
      rm = (1 - kMomentum) * rm + kMomentum * m;
      rv = (1 - kMomentum) * rv + kMomentum * v;
    }

    rows.ForBlocks([&](int64_t block, int64_t values, int64_t of_part) {
      Normalize(then, Data<T>(x, values), Data<T>(residual, values), rows.of_block(block), channels,
                Data<W>(mean, of_part), &scale[of_part], Data<W>(bias), MutableData<T>(y, values));
    });
  }

  template <class T>
  static void Backward(const Rows& rows, Then then, const at::Tensor& dy, const at::Tensor& y,
                       const at::Tensor& x, const at::Tensor& weight, const at::Tensor& mean,
                       const at::Tensor& inverse, const at::Tensor& dx, const at::Tensor& dz,
                       const at::Tensor& dweight, const at::Tensor& dbias) {
    using W = Wide<T>;
    const int64_t channels = rows.channels(), n = rows.of_part();
    std::vector<W> sums(rows.blocks() * channels), products(sums.size());
    rows.ForBlocks([&](int64_t block, int64_t values, int64_t of_part) {
      SumGradients(then, Data<T>(dy, values), Data<T>(y, values), Data<T>(x, values),
                   rows.of_block(block), channels, Data<W>(mean, of_part), &sums[block * channels],
                   &products[block * channels]);
    });
    const auto over_blocks = [&](const std::vector<W>& of_blocks) {
      return rows.Sum([&](double, int64_t at, int64_t) { return of_blocks[at]; });
    };
    const std::vector<double> sum = over_blocks(sums), product = over_blocks(products);

    std::vector<W> scale(sum.size()), a(sum.size()), b(sum.size());
    for (int64_t i = 0; i < sum.size(); ++i) {
      const int64_t c = i % channels;
      const double inverse_deviation = Data<W>(inverse)[i];
      scale[i] = Data<W>(weight)[c] * inverse_deviation;
      a[i] = sum[i] / n;
      b[i] = product[i] * inverse_deviation * inverse_deviation / n;
      MutableData<W>(dbias)[c] += sum[i];
      MutableData<W>(dweight)[c] += product[i] * inverse_deviation;
    }
    rows.ForBlocks([&](int64_t block, int64_t values, int64_t of_part) {
      InputGradient(then, Data<T>(dy, values), Data<T>(y, values), Data<T>(x, values),
                    rows.of_block(block), channels, Data<W>(mean, of_part), &scale[of_part],
                    &a[of_part], &b[of_part], MutableData<T>(dz, values),
                    MutableData<T>(dx, values));
    });
  }
};

// The operation after the normalisation, z, whose memory it takes.
at::Tensor Finish(at::Tensor z, const at::Tensor& residual, Then then) {
  if (then == Then::kNothing) return z;
  return then == Then::kAddRelu ? z.add_(residual).relu_() : z.relu_();
}

}  // namespace

BatchNorm2d::BatchNorm2d(int64_t channels, int64_t splits) : splits_(splits) {
  weight_ = register_parameter("weight", at::ones({channels}));
  bias_ = register_parameter("bias", at::zeros({channels}));
  running_mean_ = register_buffer("running_mean", at::zeros({channels}));
  running_var_ = register_buffer("running_var", at::ones({channels}));
  num_batches_tracked_ = register_buffer("num_batches_tracked", at::zeros({}, at::kLong));
}

at::Tensor BatchNorm2d::Train(const at::Tensor& x, const at::Tensor& residual, Then then) {
  TORCH_CHECK(x.size(0) % splits_ == 0, "a batch of ", x.size(0), " cannot be split in ", splits_);
  // The unbiased variance of a single value is 0 / 0, which would stay in the running statistics.
  TORCH_CHECK_VALUE(x.size(0) / splits_ * x.size(2) * x.size(3) > 1,
                    "batch normalisation needs more than one value per channel, and ",
                    x.size(0) / splits_, " image of ", x.size(2), " x ", x.size(3),
                    " pixels has one");
  num_batches_tracked_.add_(1);
  if (!x.is_cpu()) return Finish(TrainInParts(x), residual, then);
  const auto summand = residual.defined() ? std::optional(residual) : std::nullopt;
  return TrainingNorm::apply(x, summand, weight_, bias_, running_mean_, running_var_, splits_,
                             static_cast<int64_t>(then));
}

at::Tensor BatchNorm2d::TrainInParts(const at::Tensor& x) {
  const auto norm = [&](const at::Tensor& part, const at::Tensor& mean, const at::Tensor& var) {
    return at::batch_norm(part, weight_, bias_, mean, var, /*training=*/true, kMomentum, kEps,
                          /*cudnn_enabled=*/true);
  };
  if (splits_ == 1) return norm(x, running_mean_, running_var_);
  std::vector<at::Tensor> parts, means, variances;
  for (const at::Tensor& part : x.chunk(splits_)) {
    means.push_back(running_mean_.clone());
    variances.push_back(running_var_.clone());
    parts.push_back(norm(part, means.back(), variances.back()));
  }
  running_mean_.copy_(at::stack(means).mean(0));
  running_var_.copy_(at::stack(variances).mean(0));
  return at::cat(parts);
}

at::Tensor BatchNorm2d::Evaluate(const at::Tensor& x) {
  return at::batch_norm(x, weight_, bias_, running_mean_, running_var_, /*training=*/false,
                        kMomentum, kEps, /*cudnn_enabled=*/true);
}

at::Tensor BatchNorm2d::EvaluateAtOnce(at::Tensor input, const at::Tensor& residual, Then then) {
  const bool is_held = input.use_count() > 1 || input.storage().use_count() > 1;
  const at::Tensor x = ChannelsLast(input), z = ChannelsLast(residual);
  const at::Tensor y = is_held && x.is_same(input) ? at::empty_like(x) : x;
  const Rows rows(x, /*parts=*/1);
  Dispatch(x, [&](auto type) {
    using T = decltype(type);
    using W = Wide<T>;
    std::vector<W> scale(rows.channels());
    for (int64_t c = 0; c < rows.channels(); ++c) {
      scale[c] = Data<W>(weight_)[c] / std::sqrt(Data<W>(running_var_)[c] + kEps);
    }
    rows.ForBlocks([&](int64_t block, int64_t values, int64_t) {
      Normalize(then, Data<T>(x, values), Data<T>(z, values), rows.of_block(block), rows.channels(),
                Data<W>(running_mean_), scale.data(), Data<W>(bias_), MutableData<T>(y, values));
    });
  });
  return y;
}

at::Tensor BatchNorm2d::ForwardThen(Then then, at::Tensor x, const at::Tensor& residual) {
  if (is_training()) return Train(x, residual, then);
  if (x.is_cpu() && !at::GradMode::is_enabled()) {
    return EvaluateAtOnce(std::move(x), residual, then);
  }
  return Finish(Evaluate(x), residual, then);
}

at::Tensor BatchNorm2d::forward(at::Tensor x) { return ForwardThen(Then::kNothing, std::move(x)); }

at::Tensor BatchNorm2d::Relu(at::Tensor x) { return ForwardThen(Then::kRelu, std::move(x)); }

at::Tensor BatchNorm2d::AddRelu(at::Tensor x, const at::Tensor& residual) {
  return ForwardThen(Then::kAddRelu, std::move(x), residual);
}

}  // namespace moco
