#include "moco/measures/linear_sweep.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "data/loader.h"

namespace moco {
namespace {

constexpr int64_t kClasses = 7;

at::Tensor Random(at::IntArrayRef sizes, uint64_t seed) {
  return at::randn(sizes, at::detail::createCPUGenerator(seed), at::TensorOptions(at::kFloat));
}

// Classes that overlap, so that no loss goes to 0.
struct Images {
  at::Tensor labels, narrow, wide;  // N, N x 12, N x 40

  Images(int64_t n, uint64_t seed)
      : labels(at::randint(kClasses, {n}, at::detail::createCPUGenerator(seed),
                           at::TensorOptions(at::kLong))),
        narrow(Random({n, 12}, seed + 1) + Random({kClasses, 12}, 1).index_select(0, labels)),
        wide(0.1 * (Random({n, 40}, seed + 2) +
                    0.5 * Random({kClasses, 40}, 2).index_select(0, labels))) {}

  SweepData Both() const { return {{InMemory(narrow), InMemory(wide)}, labels}; }
};

SweepOptions Options() {
  SweepOptions options;
  for (const double lr : {0.003, 0.1, 1.0}) {
    for (const double decay : {0.0, 1e-2}) options.grid.push_back({lr, decay});
  }
  options.classes = kClasses;
  options.batch_size = 64;
  options.seed = 5;
  options.schedule = [](int64_t step) { return step < 12 ? 1 : 0.1; };
  return options;
}

Communicator& OneProcess() {
  static Communicator& communicator = *Communicators().Create("single").value().release();
  return communicator;
}

// The same by LinearProbe, epoch after epoch.
class OwnRun {
 public:
  OwnRun(const SweepOptions& options, const SweepOptions::Probe& probe, const at::Tensor& features,
         const at::Tensor& labels)
      : options_(options), lr_(probe.lr), features_(features), labels_(labels) {
    probe_ = LinearProbe::Create({.features = features.size(1),
                                  .classes = options.classes,
                                  .momentum = options.momentum,
                                  .weight_decay = probe.weight_decay,
                                  .seed = options.seed},
                                 OneProcess())
                 .value();
  }

  void TrainEpoch() {
    const int64_t n = labels_.size(0);
    const at::Tensor order = at::tensor(data::EpochOrder(n, options_.seed, epoch_++));
    for (int64_t from = 0; from < n; from += options_.batch_size) {
      const at::Tensor batch = order.narrow(0, from, std::min(options_.batch_size, n - from));
      ASSERT_TRUE(probe_
                      ->Step(features_.index_select(0, batch), labels_.index_select(0, batch),
                             batch.size(0), lr_ * options_.schedule(step_++))
                      .ok());
    }
  }

  const LinearProbe& probe() const { return *probe_; }

 private:
  const SweepOptions options_;
  const double lr_;
  const at::Tensor features_, labels_;
  std::unique_ptr<LinearProbe> probe_;
  int64_t epoch_ = 0, step_ = 0;
};

// How far apart two tensors are, as a share of the larger one's length.
double Apart(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).norm() / b.norm().clamp_min(1e-12)).item<double>();
}

TEST(LinearSweep, EachProbeIsARunOfItsOwn) {
  const Images train(330, 10), validation(1100, 20);  // a smaller last batch
  const SweepOptions options = Options();
  LinearSweep sweep(options, train.Both());
  ASSERT_EQ(sweep.probes(), 12);
  std::vector<OwnRun> runs;
  for (const at::Tensor& features : {train.narrow, train.wide}) {
    for (const auto& probe : options.grid)
      runs.emplace_back(options, probe, features, train.labels);
  }
  for (int epoch = 0; epoch < 4; ++epoch) {
    sweep.TrainEpoch();
    const std::vector<ProbeMetrics> metrics = sweep.Evaluate(validation.Both());
    ASSERT_EQ(metrics.size(), 12);
    for (size_t p = 0; p < runs.size(); ++p) {
      SCOPED_TRACE(testing::Message() << "epoch " << epoch << " probe " << p);
      runs[p].TrainEpoch();
      const LinearProbe& own = runs[p].probe();
      const LinearSweep::State state = sweep.Copy(p);
      for (int i : {0, 1}) {
        EXPECT_LT(Apart(state.parameters[i].second, own.State()[i].second), 2e-5);
        EXPECT_EQ(state.parameters[i].first, own.State()[i].first);
        EXPECT_LT(Apart(state.momentum[i].second, own.optimizer().State()[0].tensors[i]), 2e-4);
      }
      const ProbeMetrics expected =
          own.Evaluate(p < 6 ? validation.narrow : validation.wide, validation.labels);
      EXPECT_NEAR(metrics[p].loss, expected.loss, 1e-5 * expected.loss);
      EXPECT_NEAR(metrics[p].acc1, expected.acc1, 2.0 / 1100);  // a near tie may go either way
      EXPECT_NEAR(metrics[p].acc5, expected.acc5, 2.0 / 1100);
      EXPECT_EQ(sweep.Diverged(p), -1);
    }
  }
}

// What a probe is does not depend on which others are there.
TEST(LinearSweep, AProbeThatDivergesLeavesTheOthersAlone) {
  const Images train(200, 10), validation(300, 20);
  SweepOptions options = Options();
  options.grid = {{0.1, 0}, {1e30, 1e20}, {0.3, 1e-3}};
  LinearSweep sweep(options, train.Both());
  options.grid = {{0.1, 0}, {0.3, 1e-3}};
  LinearSweep without(options, train.Both());
  for (int epoch = 0; epoch < 3; ++epoch) {
    sweep.TrainEpoch();
    without.TrainEpoch();
  }
  const auto metrics = sweep.Evaluate(validation.Both()),
             expected = without.Evaluate(validation.Both());
  for (const int64_t feature : {0, 1}) {
    EXPECT_EQ(sweep.Diverged(3 * feature + 1), 0);
    for (const int64_t p : {0, 1}) {
      const int64_t here = 3 * feature + 2 * p, there = 2 * feature + p;
      EXPECT_EQ(sweep.Diverged(here), -1);
      EXPECT_LT(
          Apart(sweep.Copy(here).parameters[0].second, without.Copy(there).parameters[0].second),
          1e-5);
      EXPECT_NEAR(metrics[here].loss, expected[there].loss, 1e-5);
    }
    for (const auto& [name, tensor] : sweep.Copy(3 * feature + 1).parameters) {
      EXPECT_TRUE(std::isfinite(tensor.sum().item<double>())) << name;
    }
  }
}

// More logits than are computed at a time: blocks of 2 ^ 22 / (2 x 7), twice and a rest.
TEST(LinearSweep, EvaluatesInBlocksAsInOnePiece) {
  const int64_t block = (int64_t{1} << 22) / (2 * kClasses), n = 2 * block + 5;
  const Images train(64, 10);
  SweepOptions options = Options();
  options.grid = {{0.1, 0}, {1, 0}};
  LinearSweep sweep(options, {{InMemory(train.narrow)}, train.labels});
  sweep.TrainEpoch();
  const at::Tensor features = train.narrow.repeat({n / 64 + 1, 1}).narrow(0, 0, n);
  const at::Tensor labels = train.labels.repeat({n / 64 + 1}).narrow(0, 0, n);
  const auto metrics = sweep.Evaluate({{InMemory(features)}, labels});
  for (const int64_t p : {0, 1}) {
    const StateDict state = sweep.Copy(p).parameters;
    const at::Tensor logits = features.matmul(state[0].second.t()) + state[1].second;
    EXPECT_NEAR(metrics[p].acc1, (logits.argmax(1) == labels).to(at::kDouble).mean().item<double>(),
                1e-5);
  }
}

}  // namespace
}  // namespace moco
