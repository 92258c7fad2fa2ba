#include "tests/device/operations.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/tensor.h>

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "moco/backbones/autocast.h"
#include "moco/backbones/batch_norm.h"
#include "moco/encoder.h"
#include "moco/heads/head.h"
#include "moco/health.h"
#include "moco/key_queue.h"
#include "moco/losses/loss.h"
#include "moco/measures/feature_rows.h"
#include "moco/measures/knn.h"
#include "moco/measures/linear_probe.h"
#include "moco/moco.h"
#include "moco/optimizers/optimizer.h"
#include "tests/parity/golden.h"

namespace tests {
namespace {

using Tensors = std::vector<at::Tensor>;
constexpr at::MemoryFormat kChannelsLast = at::MemoryFormat::ChannelsLast;

// --- Inputs and backward passes ---

// Noise in [-1, 1), the same for every place.
at::Tensor Input(const Place& place, int64_t stream, at::IntArrayRef sizes) {
  return parity::Noise(stream, sizes).to(place.device, place.dtype());
}

at::Tensor Leaf(const at::Tensor& value) {
  const at::Tensor leaf = value.detach();
  return (leaf.dim() == 4 ? leaf.contiguous(kChannelsLast) : leaf).requires_grad_();
}

// An image batch, or the weight of a convolution.
at::Tensor Leaf(const Place& place, int64_t stream, at::IntArrayRef sizes) {
  return Leaf(Input(place, stream, sizes));
}

at::Tensor Labels(const Place& place, int64_t n, int64_t classes) {
  return at::arange(n, at::kLong).mul(7).remainder(classes).to(place.device);
}

// Returns `y`, and the gradients of `leaves` for a fixed gradient of `y`.
Tensors WithGradients(const Place& place, const at::Tensor& y, const Tensors& leaves) {
  y.backward(Input(place, 99, y.sizes()).to(y.scalar_type()));
  Tensors results = {y.detach()};
  for (const at::Tensor& leaf : leaves) results.push_back(leaf.grad());
  return results;
}

// A forward pass as MoCo computes those of its encoders.
template <class F>
at::Tensor Forward(const Place& place, const F& f) {
  if (place.precision != Precision::kBf16) return f();
  moco::Bf16Autocast autocast(place.device.type());
  return f().to(place.dtype());
}

// --- The network ---

Operation Convolution(const std::string& name, int64_t in, int64_t out, int64_t kernel,
                      int64_t stride, int64_t size, int64_t groups = 1) {
  const auto compute = [=](const Place& place) {
    const at::Tensor x = Leaf(place, 1, {4, in, size, size}),
                     w = Leaf(place, 2, {out, in / groups, kernel, kernel});
    const at::Tensor y = Forward(place, [&] {
      return at::conv2d(x, w, {}, {stride, stride}, {kernel / 2, kernel / 2}, {1, 1}, groups);
    });
    return WithGradients(place, y, {x, w});
  };
  return {absl::StrCat("convolution_", name), compute, 1e-5, 2e-2};
}

enum class After { kNothing, kRelu, kAddRelu, kEvaluation };

Operation BatchNorm(const std::string& name, int64_t splits, After after) {
  const auto compute = [=](const Place& place) {
    moco::BatchNorm2d norm(/*channels=*/16, splits);
    norm.to(place.device, place.dtype());
    norm.train(after != After::kEvaluation);
    // Under bf16, batch norm gets what a convolution returns.
    const auto input = [&](int64_t stream) {
      const at::Tensor x = Input(place, stream, {16, 16, 6, 5}) * 2 + 0.5;
      return Leaf(place.precision == Precision::kBf16 ? x.to(at::kBFloat16) : x);
    };
    const at::Tensor x = input(1), residual = input(2);
    Tensors leaves = {x};
    at::Tensor y;
    switch (after) {
      case After::kNothing:
      case After::kEvaluation:
        y = norm.forward(x);
        break;
      case After::kRelu:
        y = norm.Relu(x);
        break;
      case After::kAddRelu:
        y = norm.AddRelu(x, residual);
        leaves.push_back(residual);
        break;
    }
    for (const at::Tensor& p : norm.parameters()) leaves.push_back(p);
    Tensors results = WithGradients(place, y, leaves);
    for (const at::Tensor& b : norm.buffers()) results.push_back(b);
    return results;
  };
  return {absl::StrCat("batch_norm_", name), compute, 1e-5, 0.1};
}

Operation MaxPool() {
  return {"max_pool", [](const Place& place) {
            const at::Tensor x = Leaf(place, 1, {4, 16, 12, 12});
            return WithGradients(place, at::max_pool2d(x, 3, 2, 1), {x});
          }};
}

Operation AveragePool() {
  return {"average_pool", [](const Place& place) {
            const at::Tensor x = Leaf(place, 1, {4, 64, 7, 7});
            return WithGradients(place, x.mean({2, 3}), {x});
          }};
}

Operation Head(const std::string& spec) {
  const auto compute = [=](const Place& place) {
    at::manual_seed(1);
    const std::shared_ptr<moco::Head> head = moco::Heads().Create(spec, /*feature_dim=*/64).value();
    head->Initialize();
    head->to(place.device, place.dtype());
    const at::Tensor x = Leaf(place, 1, {16, 64});
    Tensors leaves = head->parameters();
    leaves.push_back(x);
    return WithGradients(place, Forward(place, [&] { return head->forward(x); }), leaves);
  };
  return {absl::StrCat("head_", spec), compute, 1e-5, 5e-2};
}

// A whole encoder, in which the errors of its layers add up: its output in training and its
// features in evaluation, or the gradients of all its weights. A rounding that turns a ReLU on or
// off changes the gradients of the layers before it, so their bound is wide, and bf16 is left to
// the layers.
Operation Encoder(const std::string& name, const moco::EncoderSpec& spec, int64_t size, double fp32,
                  double bf16, bool gradients = false) {
  const auto compute = [=](const Place& place) {
    at::manual_seed(1);
    const auto encoder = moco::Encoder::Create(spec).value();
    encoder->Initialize();
    encoder->To(place.device, place.dtype());
    encoder->Train(true);
    const at::Tensor x = Leaf(place, 1, {8, 3, size, size});
    Tensors leaves = encoder->Parameters();
    const at::Tensor y = Forward(place, [&] { return (*encoder)(x); });
    if (gradients) {
      // As one vector: those of single layers may be almost zero.
      const Tensors results = WithGradients(place, y, leaves);
      Tensors flat;
      for (size_t i = 1; i < results.size(); ++i) flat.push_back(results[i].reshape(-1));
      return Tensors{at::cat(flat)};
    }
    encoder->Train(false);
    const at::NoGradGuard no_grad;
    return Tensors{y.detach(), Forward(place, [&] { return encoder->Features(x); })};
  };
  return {absl::StrCat("encoder_", name, gradients ? "_gradients" : ""), compute, fp32, bf16};
}

// --- The method ---

Operation UnitRows() {
  return {"unit_rows", [](const Place& place) {
            const at::Tensor x = Leaf(place, 1, {16, 128});
            return WithGradients(place, moco::UnitRows(x), {x});
          }};
}

Operation Similarities() {
  return {"similarities", [](const Place& place) {
            const at::Tensor q = Leaf(place, 1, {16, 128}),
                             keys = moco::UnitRows(Input(place, 2, {1000, 128}));
            return WithGradients(place, at::matmul(q, keys.t()), {q});
          }};
}

Operation Loss(const std::string& spec) {
  const auto compute = [=](const Place& place) {
    const at::Tensor positive = Leaf(place, 1, {16}), negative = Leaf(place, 2, {16, 1000});
    const auto loss = moco::Losses().Create(spec).value();
    return WithGradients(place, (*loss)(positive, negative), {positive, negative});
  };
  return {absl::StrCat("loss_", spec), compute};
}

// The share of queries whose own key is the most similar, and its like.
Operation KeysAbove() {
  return {"keys_above", [](const Place& place) {
            const at::Tensor positive = Input(place, 1, {16}), negative = Input(place, 2, {16, 99});
            const at::Tensor above = (negative > positive.unsqueeze(1)).sum(1);
            return Tensors{above, (above < 5).to(at::kDouble).mean()};
          }};
}

Operation Shuffle() {
  return {"shuffle", [](const Place& place) {
            const at::Tensor x = Input(place, 1, {16, 3, 8, 8}).contiguous(kChannelsLast);
            const at::Tensor order =
                at::tensor(moco::ShuffleOrder(/*seed=*/3, /*step=*/0, /*direction=*/0, 16));
            const at::Tensor shuffled = x.index_select(0, order.to(place.device));
            return Tensors{shuffled, shuffled.index_select(0, order.argsort().to(place.device)),
                           order.to(place.device).argsort()};
          }};
}

Operation MovingAverage() {
  return {"moving_average", [](const Place& place) {
            const Tensors q = {Input(place, 1, {8, 4, 3, 3}), Input(place, 2, {5})};
            const Tensors k = {Input(place, 3, {8, 4, 3, 3}), Input(place, 4, {5})};
            at::_foreach_mul_(k, 0.999);
            at::_foreach_add_(k, q, 1 - 0.999);
            return k;
          }};
}

Operation Optimizer(const std::string& spec) {
  const auto compute = [=](const Place& place) {
    const std::vector<std::vector<int64_t>> shapes = {{8, 4, 3, 3}, {16, 7}, {5}};
    Tensors parameters;
    for (size_t i = 0; i < shapes.size(); ++i) parameters.push_back(Leaf(place, i, shapes[i]));
    const auto optimizer = moco::Optimizers().Create(spec, parameters).value();
    for (int step = 0; step < 3; ++step) {
      for (size_t i = 0; i < shapes.size(); ++i) {
        const at::Tensor gradient = Input(place, 10 * (step + 1) + i, shapes[i]);
        parameters[i].mutable_grad() =
            gradient.dim() == 4 ? gradient.contiguous(kChannelsLast) : gradient;
      }
      optimizer->Step(/*lr=*/0.05);
    }
    Tensors results;
    for (const at::Tensor& p : parameters) results.push_back(p.detach());
    for (const auto& slot : optimizer->State()) {
      results.insert(results.end(), slot.tensors.begin(), slot.tensors.end());
    }
    return results;
  };
  return {absl::StrCat("optimizer_", spec), compute};
}

Operation Queue() {
  return {"queue", [](const Place& place) {
            at::manual_seed(1);
            moco::KeyQueue queue(/*dim=*/8, /*size=*/30);
            queue.To(place.device, place.dtype());
            for (int step = 0; step < 3; ++step) {  // reaches the end, and goes on at the front
              queue.Enqueue(Input(place, step, {12, 8}));
            }
            return Tensors{queue.keys(), queue.Newest(20), queue.Transposed().contiguous()};
          }};
}

Operation Health() {
  return {"health",
          [](const Place& place) {
            const auto keys = [&](int64_t stream, int64_t n) {
              return moco::UnitRows(Input(place, stream, {n, 32}));
            };
            moco::Health health;
            moco::MeasureSpread(keys(5, 200), health);
            return Tensors{moco::Compare(keys(1, 16), keys(2, 16), keys(3, 16), keys(4, 16)),
                           at::tensor({health.spread, health.dimensions}, at::kDouble)};
          },
          1e-4};
}

// Two steps; the arithmetic is that of --precision.
Operation Step(const std::string& name, void (*change)(moco::MoCoOptions&), double fp32,
               double bf16) {
  const auto compute = [=](const Place& place) {
    static moco::Communicator& alone = *moco::Communicators().Create("single").value().release();
    moco::MoCoOptions o;
    o.encoder = {.backbone = "resnet_small:width=8,blocks=1,stages=2", .head = "mlp:dim=8"};
    o.queue_size = 30;  // the batch does not divide it
    o.momentum = 0.9;
    o.dtype = place.dtype();
    o.bf16 = place.precision == Precision::kBf16;
    o.device = place.device;
    o.seed = 3;
    change(o);
    at::manual_seed(1);
    const auto moco = moco::MoCo::Create(o, alone).value();
    for (int step = 0; step < 2; ++step) {
      const auto view = [&](int64_t v) {
        return Input(place, 2 * step + v, {16, 3, 12, 12}).contiguous(kChannelsLast);
      };
      (void)moco->Step(view(1), view(2), /*lr=*/0.05, step).value();
    }
    const auto flat = [](const Tensors& tensors) {
      Tensors parts;
      for (const at::Tensor& t : tensors) parts.push_back(t.detach().reshape(-1));
      return at::cat(parts);
    };
    return Tensors{flat(moco->query_encoder().Parameters()), flat(moco->key_encoder().Parameters()),
                   moco->queue().keys()};
  };
  return {absl::StrCat("step_", name), compute, fp32, bf16};
}

// --- Images and evaluation ---

// Batches of bytes, normalised on the device.
Operation Bytes() {
  return {
      "uint8_images", [](const Place& place) {
        const at::Tensor bytes =
            (parity::Noise(1, {4, 3, 8, 8}) * 127.5 + 127.5).round().to(at::kByte);
        const at::Tensor there = bytes.contiguous(kChannelsLast).to(place.device);
        const auto constants = [&](std::vector<double> three) {
          return at::tensor(three, at::kDouble).view({1, 3, 1, 1}).to(place.device, place.dtype());
        };
        const at::Tensor x = there.to(place.dtype()) / 255;
        return Tensors{
            there, (x - constants({0.4914, 0.4822, 0.4465})) / constants({0.2023, 0.1994, 0.2010})};
      }};
}

Operation Classifier() {
  return {
      "classifier", [](const Place& place) {
        const at::Tensor x = Leaf(place, 1, {16, 64}), w = Leaf(place, 2, {10, 64}),
                         b = Leaf(place, 3, {10});
        const at::Tensor logits = at::linear(x, w, b), labels = Labels(place, 16, 10);
        Tensors results = WithGradients(place, at::cross_entropy_loss(logits, labels), {x, w, b});
        results.push_back(moco::Ranks(logits.detach(), labels.unsqueeze(1)));
        return results;
      }};
}

Operation KnnVotes() {
  return {"knn_votes", [](const Place& place) {
            const at::Tensor labels = Labels({at::kCPU, place.precision}, 300, 10);
            return Tensors{moco::KnnPredict(Input(place, 1, {300, 32}), labels,
                                            Input(place, 2, {100, 32}),
                                            {.k = 20, .temperature = 0.1, .classes = 10})};
          }};
}

std::vector<Operation> MakeOperations() {
  std::vector<Operation> all = {
      Convolution("stem_imagenet", 3, 64, /*kernel=*/7, /*stride=*/2, /*size=*/32),
      Convolution("stem_cifar", 3, 64, 3, 1, 32),
      Convolution("3x3", 64, 64, 3, 1, 14),
      Convolution("3x3_stride_2", 64, 128, 3, 2, 14),
      Convolution("1x1", 64, 256, 1, 1, 14),
      Convolution("1x1_stride_2", 64, 128, 1, 2, 14),
      Convolution("grouped", 128, 128, 3, 1, 14, /*groups=*/32),
      BatchNorm("whole", 1, After::kNothing),
      BatchNorm("whole_relu", 1, After::kRelu),
      BatchNorm("8_splits", 8, After::kNothing),
      BatchNorm("8_splits_relu", 8, After::kRelu),
      BatchNorm("8_splits_add_relu", 8, After::kAddRelu),
      BatchNorm("evaluation", 1, After::kEvaluation),
      MaxPool(),
      AveragePool(),
      Encoder("resnet18", {.backbone = "resnet18", .head = "mlp"}, 64, 1e-3, 0.3),
      Encoder("resnet18_cifar_4_splits",
              {.backbone = "resnet18:stem=cifar", .head = "linear", .bn_splits = 4}, 32, 1e-3, 0.3),
      Encoder("resnet50", {.backbone = "resnet50", .head = "mlp"}, 64, 1e-3, 0),
      Encoder("resnext50", {.backbone = "resnext50_32x4d", .head = "mlp"}, 64, 1e-3, 0),
      Encoder("resnet18_cifar_4_splits",
              {.backbone = "resnet18:stem=cifar", .head = "linear", .bn_splits = 4}, 32, 0.05, 0,
              /*gradients=*/true),
      Encoder("resnet50", {.backbone = "resnet50", .head = "mlp"}, 64, 0.1, 0,
              /*gradients=*/true),
      UnitRows(),
      Similarities(),
      KeysAbove(),
      Shuffle(),
      MovingAverage(),
      Queue(),
      Health(),
      Step(
          "v1", [](moco::MoCoOptions& o) { o.encoder.head = "linear:dim=8"; }, 1e-3, 0.1),
      Step(
          "v2", [](moco::MoCoOptions&) {}, 1e-3, 0.1),
      Step(
          "split_bn", [](moco::MoCoOptions& o) { o.encoder.bn_splits = 4; }, 1e-3, 0.1),
      Step(
          "symmetric", [](moco::MoCoOptions& o) { o.symmetric = true; }, 1e-3, 0.1),
      Step(
          "accumulate", [](moco::MoCoOptions& o) { o.accumulate = 2; }, 1e-3, 0.1),
      Bytes(),
      Classifier(),
      KnnVotes(),
  };
  // Plugins by their names, so that a new one is here, too.
  for (const std::string& name : moco::Heads().Names()) all.push_back(Head(name));
  for (const std::string& name : moco::Losses().Names()) all.push_back(Loss(name));
  for (const std::string& name : moco::Optimizers().Names()) all.push_back(Optimizer(name));
  return all;
}

}  // namespace

std::string NameOf(Precision precision) {
  switch (precision) {
    case Precision::kFp64:
      return "fp64";
    case Precision::kFp32:
      return "fp32";
    default:
      return "bf16";
  }
}

const std::vector<Operation>& Operations() {
  static const std::vector<Operation>& all = *new std::vector<Operation>(MakeOperations());
  return all;
}

}  // namespace tests
