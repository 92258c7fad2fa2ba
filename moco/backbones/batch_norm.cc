#include "moco/backbones/batch_norm.h"

#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>

#include <vector>

namespace moco {
namespace {
constexpr double kEps = 1e-5;
constexpr double kMomentum = 0.1;
}  // namespace

BatchNorm2d::BatchNorm2d(int64_t channels, int64_t splits) : splits_(splits) {
  weight_ = register_parameter("weight", at::ones({channels}));
  bias_ = register_parameter("bias", at::zeros({channels}));
  running_mean_ = register_buffer("running_mean", at::zeros({channels}));
  running_var_ = register_buffer("running_var", at::ones({channels}));
  num_batches_tracked_ = register_buffer("num_batches_tracked", at::zeros({}, at::kLong));
}

at::Tensor BatchNorm2d::forward(const at::Tensor& x) {
  if (is_training()) {
    num_batches_tracked_.add_(1);
    if (splits_ > 1) return SplitForward(x);
  }
  return at::batch_norm(x, weight_, bias_, running_mean_, running_var_, is_training(), kMomentum,
                        kEps, /*cudnn_enabled=*/true);
}

at::Tensor BatchNorm2d::SplitForward(const at::Tensor& x) {
  TORCH_CHECK(x.size(0) % splits_ == 0, "a batch of ", x.size(0), " cannot be split in ", splits_);
  // Every part updates running statistics of its own, from the same start; their mean is kept.
  const at::Tensor means = running_mean_.repeat({splits_, 1});
  const at::Tensor vars = running_var_.repeat({splits_, 1});
  std::vector<at::Tensor> parts = x.chunk(splits_);
  for (int64_t g = 0; g < splits_; ++g) {
    parts[g] = at::batch_norm(parts[g], weight_, bias_, means[g], vars[g], /*training=*/true,
                              kMomentum, kEps, /*cudnn_enabled=*/true);
  }
  running_mean_.copy_(means.mean(0));
  running_var_.copy_(vars.mean(0));
  return at::cat(parts);
}

at::Tensor BatchNorm2d::Relu(const at::Tensor& x) { return forward(x).relu_(); }

at::Tensor BatchNorm2d::AddRelu(const at::Tensor& x, const at::Tensor& residual) {
  return forward(x).add_(residual).relu_();
}

}  // namespace moco
