#include "moco/measures/linear_probe.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/normal.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "registry/options.h"

namespace moco {
namespace {

constexpr int64_t kBlock = 1024;  // images at a time in Evaluate

ProbeMetrics Measure(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& loss) {
  const at::Tensor ranks = Ranks(logits, labels.unsqueeze(1));
  const at::Tensor numbers = at::stack({loss.to(at::kDouble), (ranks < 1).to(at::kDouble).mean(),
                                        (ranks < 5).to(at::kDouble).mean()})
                                 .cpu();
  const double* values = numbers.const_data_ptr<double>();
  return {.loss = values[0], .acc1 = values[1], .acc5 = values[2]};
}

}  // namespace

at::Tensor InitialWeight(int64_t classes, int64_t features, uint64_t seed) {
  return at::normal(0, 0.01, {classes, features}, at::detail::createCPUGenerator(seed),
                    at::TensorOptions(at::kFloat));
}

at::Tensor Ranks(const at::Tensor& logits, const at::Tensor& labels) {
  const at::Tensor logit = logits.gather(1, labels);
  at::DimVector ones(logits.dim(), 1);
  ones[1] = logits.size(1);
  const at::Tensor earlier = at::arange(logits.size(1), labels.options()).view(ones) < labels;
  return ((logits > logit) | ((logits == logit) & earlier)).sum(1, /*keepdim=*/true);
}

Predictions Predict(const at::Tensor& logits) {
  const at::Tensor classes = std::get<1>(logits.max(1));
  const at::Tensor logs = logits.log_softmax(1).gather(1, classes.unsqueeze(1)).squeeze(1);
  return {classes.to(at::kCPU), logs.exp().to(at::kCPU, at::kFloat)};
}

absl::StatusOr<std::unique_ptr<LinearProbe>> LinearProbe::Create(const LinearProbeOptions& options,
                                                                 Communicator& communicator) {
  at::Tensor weight =
      InitialWeight(options.classes, options.features, options.seed).to(options.device);
  at::Tensor bias = at::zeros({options.classes}, weight.options());
  weight.requires_grad_(true);
  bias.requires_grad_(true);
  std::vector<at::Tensor> parameters = options.below;
  parameters.insert(parameters.end(), {weight, bias});
  auto optimizer = Optimizers().Create(
      absl::StrCat("sgd:momentum=", registry::WriteValue(options.momentum),
                   ",weight_decay=", registry::WriteValue(options.weight_decay)),
      parameters);
  if (!optimizer.ok()) return optimizer.status();
  communicator.AverageGradientsOf(parameters);
  return std::unique_ptr<LinearProbe>(
      new LinearProbe(std::move(parameters), *std::move(optimizer), communicator));
}

LinearProbe::LinearProbe(std::vector<at::Tensor> parameters, std::unique_ptr<Optimizer> optimizer,
                         Communicator& communicator)
    : parameters_(std::move(parameters)),
      weight_(parameters_.end()[-2]),
      bias_(parameters_.end()[-1]),
      optimizer_(std::move(optimizer)),
      communicator_(communicator) {}

absl::StatusOr<ProbeMetrics> LinearProbe::Step(const at::Tensor& features,
                                               const at::Tensor& given_labels, int64_t images,
                                               double lr) {
  const at::Tensor labels = given_labels.to(weight_.device());
  const at::Tensor logits = at::linear(features, weight_, bias_);  // N x classes
  const at::Tensor loss = at::cross_entropy_loss(logits, labels);
  ProbeMetrics metrics;
  double share = 1;  // weight of this rank's mean loss in the mean over all ranks
  {
    at::NoGradGuard no_grad;
    const ProbeMetrics own = Measure(logits, labels, loss);
    const double n = images;
    const at::Tensor sums = at::tensor({n, own.loss * n, own.acc1 * n, own.acc5 * n}, at::kDouble);
    const at::Tensor all = communicator_.AllGather(sums.view({1, 4})).sum(0);
    const double total = all[0].item<double>();
    metrics = {all[1].item<double>() / total, all[2].item<double>() / total,
               all[3].item<double>() / total};
    share = n * communicator_.size() / total;
  }
  if (!std::isfinite(metrics.loss)) {
    return absl::AbortedError(absl::StrCat("the loss is ", metrics.loss));
  }
  for (at::Tensor p : parameters_) p.mutable_grad().reset();
  communicator_.Backward(loss * share);
  optimizer_->Step(lr);
  return metrics;
}

ProbeMetrics LinearProbe::Evaluate(const at::Tensor& features, const at::Tensor& labels) const {
  at::NoGradGuard no_grad;
  ProbeMetrics mean;
  const double all = features.size(0);
  for (int64_t from = 0; from < features.size(0); from += kBlock) {
    const int64_t n = std::min(kBlock, features.size(0) - from);
    const at::Tensor some = labels.narrow(0, from, n).to(weight_.device());
    const at::Tensor logits =
        at::linear(features.narrow(0, from, n).to(weight_.device()), weight_, bias_);
    const ProbeMetrics block = Measure(logits, some, at::cross_entropy_loss(logits, some));
    mean.loss += block.loss * n / all;
    mean.acc1 += block.acc1 * n / all;
    mean.acc5 += block.acc5 * n / all;
  }
  return mean;
}

Predictions LinearProbe::PredictAll(const at::Tensor& features) const {
  at::NoGradGuard no_grad;
  std::vector<at::Tensor> classes, probabilities;
  for (int64_t from = 0; from < features.size(0); from += kBlock) {
    const int64_t n = std::min(kBlock, features.size(0) - from);
    const Predictions block =
        Predict(at::linear(features.narrow(0, from, n).to(weight_.device()), weight_, bias_));
    classes.push_back(block.classes);
    probabilities.push_back(block.probabilities);
  }
  return {at::cat(classes), at::cat(probabilities)};
}

}  // namespace moco
