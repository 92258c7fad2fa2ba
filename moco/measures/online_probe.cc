#include "moco/measures/online_probe.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/std_mean.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <vector>

#include "base/rng.h"
#include "moco/measures/linear_sweep.h"

namespace moco {
namespace {
constexpr int64_t kEpochs = 20, kBatch = 256;
constexpr double kRates[] = {0.001, 0.003, 0.01, 0.03, 0.1};
}  // namespace

double OnlineProbeAccuracy(const at::Tensor& bank, const at::Tensor& bank_labels,
                           const at::Tensor& queries, const at::Tensor& query_labels,
                           int64_t classes, uint64_t seed) {
  at::NoGradGuard no_grad;
  const auto [deviation, mean] = at::std_mean(bank, /*dim=*/0, /*unbiased=*/false);
  const at::Tensor scale = deviation.clamp_min(1e-6);
  const auto standardised = [&, &mean = mean](const at::Tensor& features) {
    return InMemory((features - mean) / scale);
  };
  const FeatureRows all = standardised(bank);
  const at::Tensor labels = bank_labels.cpu();
  const at::Tensor order =
      at::tensor(base::Rng(seed, base::Purpose::kHeldOut).Permutation(all.size), at::kLong);
  const int64_t held_out = std::max<int64_t>(all.size / 10, 1), size = all.size - held_out;
  const auto part = [&](int64_t from, int64_t count) {
    const at::Tensor index = order.narrow(0, from, count);
    return SweepData{{Some(all, index)}, labels.index_select(0, index)};
  };

  SweepOptions options;
  for (const double rate : kRates) options.grid.push_back({rate, 0});
  options.classes = classes;
  options.batch_size = std::min(kBatch, size);
  options.seed = seed;
  const int64_t steps = kEpochs * ((size + options.batch_size - 1) / options.batch_size);
  options.schedule = [steps](int64_t step) { return (1 + std::cos(M_PI * step / steps)) / 2; };
  LinearSweep sweep(options, part(held_out, size));
  for (int64_t epoch = 0; epoch < kEpochs; ++epoch) sweep.TrainEpoch();

  const std::vector<ProbeMetrics> choice = sweep.Evaluate(part(0, held_out));
  const auto best = std::max_element(
      choice.begin(), choice.end(),
      [](const ProbeMetrics& a, const ProbeMetrics& b) { return a.acc1 < b.acc1; });
  const SweepData test{{standardised(queries)}, query_labels.cpu()};
  return sweep.Evaluate(test)[best - choice.begin()].acc1;
}

}  // namespace moco
