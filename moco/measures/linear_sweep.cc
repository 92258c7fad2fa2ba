#include "moco/measures/linear_sweep.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "data/loader.h"

namespace moco {

constexpr int64_t kLogits = int64_t{1} << 22;  // at a time in Evaluate

// Weights classes x P x D and biases classes x P of P probes, and the constants of each probe as P
// and P x 1, so that one expression computes a step of all probes. The last dimension is P because
// softmax over a few classes is faster if it processes many probes at a time.
class LinearSweep::Stack {
 public:
  Stack(const SweepOptions& options, int64_t features)
      : probes_(options.grid.size()),
        classes_(options.classes),
        momentum_(options.momentum),
        weight_(
            InitialWeight(classes_, features, options.seed).unsqueeze(1).repeat({1, probes_, 1})),
        bias_(at::zeros({classes_, probes_}, at::kFloat)),
        weight_velocity_(at::zeros_like(weight_)),
        bias_velocity_(at::zeros_like(bias_)),
        diverged_(probes_, -1) {
    std::vector<float> lr, decay;
    for (const SweepOptions::Probe& probe : options.grid) {
      lr.push_back(probe.lr);
      decay.push_back(probe.weight_decay);
    }
    lr_ = at::tensor(lr);
    decay_ = at::tensor(decay);
    decays_ = std::any_of(decay.begin(), decay.end(), [](float d) { return d != 0; });
  }

  // x: N x D, labels: N. The gradient of the mean cross entropy to the logits is
  // (softmax - onehot) / N.
  void Step(const at::Tensor& x, const at::Tensor& labels, double factor, int64_t epoch) {
    const double n = x.size(0);
    at::Tensor logs = Logits(x).log_softmax(1);  // N x classes x P
    const at::Tensor own = labels.view({-1, 1, 1}).expand({-1, 1, probes_});
    const at::Tensor loss = -logs.gather(1, own).sum(0).flatten();  // P
    const at::Tensor gradient =
        logs.exp_().scatter_add_(1, own, at::full({}, -1, at::kFloat).expand_as(own));
    for (int64_t p = 0; p < probes_; ++p) {
      if (!std::isfinite(loss.const_data_ptr<float>()[p]) && diverged_[p] < 0) {
        diverged_[p] = epoch;
        for (const at::Tensor& t : {weight_, bias_, weight_velocity_, bias_velocity_}) {
          t.select(1, p).zero_();
        }
        gradient.select(2, p).zero_();
        lr_[p].zero_();
        decay_[p].zero_();
      }
    }
    const at::Tensor flat = gradient.view({-1, classes_ * probes_});
    Flat(weight_velocity_).addmm_(flat.t(), x, /*beta=*/momentum_, /*alpha=*/1 / n);
    bias_velocity_.mul_(momentum_).add_(gradient.sum(0), 1 / n);
    if (decays_) {
      weight_velocity_.addcmul_(weight_, decay_.unsqueeze(1));
      bias_velocity_.addcmul_(bias_, decay_);
    }
    weight_.addcmul_(weight_velocity_, lr_.unsqueeze(1), -factor);
    bias_.addcmul_(bias_velocity_, lr_, -factor);
  }

  std::vector<ProbeMetrics> Evaluate(const FeatureRows& features, const at::Tensor& all) const {
    at::Tensor sums = at::zeros({3, probes_}, at::kDouble);  // loss, acc1, acc5
    const int64_t block = std::max<int64_t>(kLogits / (probes_ * classes_), 1);
    for (int64_t from = 0; from < features.size; from += block) {
      const int64_t n = std::min(block, features.size - from);
      const at::Tensor logits = Logits(features.Rows(from, n));
      const at::Tensor own = all.narrow(0, from, n).view({-1, 1, 1}).expand({-1, 1, probes_});
      const at::Tensor logs = logits.log_softmax(1).gather(1, own);
      sums[0] -= logs.sum(at::IntArrayRef({0, 1}), /*keepdim=*/false, at::kDouble);
      const at::Tensor ranks = Ranks(logits, own);  // N x 1 x P
      sums[1] += (ranks < 1).sum(at::IntArrayRef({0, 1}));
      sums[2] += (ranks < 5).sum(at::IntArrayRef({0, 1}));
    }
    sums /= features.size;
    std::vector<ProbeMetrics> metrics;
    for (int64_t p = 0; p < probes_; ++p) {
      const double* of = sums.const_data_ptr<double>() + p;
      metrics.push_back({of[0], of[probes_], of[2 * probes_]});
    }
    return metrics;
  }

  Predictions Predict(int64_t p, const FeatureRows& features) const {
    const at::Tensor weight = weight_.select(1, p), bias = bias_.select(1, p);
    std::vector<at::Tensor> classes, probabilities;
    const int64_t block = std::max<int64_t>(kLogits / classes_, 1);
    for (int64_t from = 0; from < features.size; from += block) {
      const int64_t n = std::min(block, features.size - from);
      const moco::Predictions some =
          moco::Predict(at::addmm(bias, features.Rows(from, n), weight.t()));
      classes.push_back(some.classes);
      probabilities.push_back(some.probabilities);
    }
    return {at::cat(classes), at::cat(probabilities)};
  }

  int64_t Diverged(int64_t p) const { return diverged_[p]; }

  State Copy(int64_t p) const {
    const auto of = [p](const at::Tensor& t) {
      return t.select(1, p).clone(at::MemoryFormat::Contiguous);
    };
    return {{{"weight", of(weight_)}, {"bias", of(bias_)}},
            {{"weight", of(weight_velocity_)}, {"bias", of(bias_velocity_)}}};
  }

 private:
  at::Tensor Flat(const at::Tensor& weights) const {
    return weights.view({classes_ * probes_, weights.size(2)});
  }

  // Of N x D: N x classes x P.
  at::Tensor Logits(const at::Tensor& x) const {
    return at::addmm(bias_.flatten(), x, Flat(weight_).t()).view({-1, classes_, probes_});
  }

  const int64_t probes_, classes_;
  const double momentum_;
  const at::Tensor weight_, bias_, weight_velocity_, bias_velocity_;
  at::Tensor lr_, decay_;  // P
  bool decays_ = false;    // any of them
  std::vector<int64_t> diverged_;
};

LinearSweep::LinearSweep(const SweepOptions& options, const SweepData& train)
    : options_(options), train_(train) {
  for (const FeatureRows& features : train_.features) {
    stacks_.emplace_back(options_, features.columns);
  }
}

LinearSweep::~LinearSweep() = default;

int64_t LinearSweep::probes() const { return stacks_.size() * options_.grid.size(); }

void LinearSweep::TrainEpoch() {
  at::NoGradGuard no_grad;
  const int64_t size = train_.labels.size(0);
  const at::Tensor order = at::tensor(data::EpochOrder(size, options_.seed, epoch_), at::kLong);
  for (int64_t from = 0; from < size; from += options_.batch_size) {
    const at::Tensor batch = order.narrow(0, from, std::min(options_.batch_size, size - from));
    const at::Tensor labels = train_.labels.index_select(0, batch);
    const double factor = options_.schedule(step_++);
    for (size_t f = 0; f < stacks_.size(); ++f) {
      stacks_[f].Step(train_.features[f].Rows(batch), labels, factor, epoch_);
    }
  }
  ++epoch_;
}

int64_t LinearSweep::Diverged(int64_t probe) const {
  const int64_t grid = options_.grid.size();
  return stacks_[probe / grid].Diverged(probe % grid);
}

std::vector<ProbeMetrics> LinearSweep::Evaluate(const SweepData& data) const {
  at::NoGradGuard no_grad;
  std::vector<ProbeMetrics> all;
  for (size_t f = 0; f < stacks_.size(); ++f) {
    const auto metrics = stacks_[f].Evaluate(data.features[f], data.labels);
    all.insert(all.end(), metrics.begin(), metrics.end());
  }
  return all;
}

Predictions LinearSweep::Predict(int64_t probe, const SweepData& data) const {
  at::NoGradGuard no_grad;
  const int64_t grid = options_.grid.size();
  return stacks_[probe / grid].Predict(probe % grid, data.features[probe / grid]);
}

LinearSweep::State LinearSweep::Copy(int64_t probe) const {
  const int64_t grid = options_.grid.size();
  return stacks_[probe / grid].Copy(probe % grid);
}

}  // namespace moco
