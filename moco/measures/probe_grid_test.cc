#include "moco/measures/probe_grid.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_split.h"

namespace moco {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr int64_t kClasses = 4;

at::Tensor Random(at::IntArrayRef sizes, uint64_t seed) {
  return at::randn(sizes, at::detail::createCPUGenerator(seed), at::TensorOptions(at::kFloat));
}

// Classes that overlap, in two features.
SweepData Images(int64_t n, uint64_t seed) {
  const at::Tensor labels = at::randint(kClasses, {n}, at::detail::createCPUGenerator(seed),
                                        at::TensorOptions(at::kLong));
  const at::Tensor centres = Random({kClasses, 8}, 1).index_select(0, labels);
  return {{InMemory(Random({n, 8}, seed + 1) + centres),
           InMemory(Random({n, 8}, seed + 2) + 2 * centres)},
          labels};
}

GridOptions Options(const std::vector<SweepOptions::Probe>& grid) {
  GridOptions options;
  options.sweep.grid = grid;
  options.sweep.classes = kClasses;
  options.sweep.batch_size = 32;
  options.sweep.seed = 3;
  options.sweep.schedule = [](int64_t) { return 1.0; };
  options.epochs = 6;
  options.keep_state_of = 1;
  return options;
}

TEST(ProbeGridTest, EachProbeHasItsBestEpochAndItsState) {
  GridOptions options = Options({{1, 0}, {0.1, 1e-3}, {10, 0}});
  std::vector<int64_t> epochs;
  options.on_epoch = [&](int64_t done, const std::vector<ProbeResult>&, const ProbeResult&) {
    epochs.push_back(done);
  };
  const SweepData train = Images(160, 5), validation = Images(80, 50);
  const auto results = TrainGrid(options, train, validation);
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_THAT(epochs, ElementsAre(1, 2, 3, 4, 5, 6));
  ASSERT_THAT(*results, SizeIs(6));

  // The same by hand.
  LinearSweep sweep(options.sweep, train);
  std::vector<std::vector<ProbeMetrics>> metrics;
  std::vector<std::vector<LinearSweep::State>> states;
  for (int epoch = 0; epoch < 6; ++epoch) {
    sweep.TrainEpoch();
    metrics.push_back(sweep.Evaluate(validation));
    states.emplace_back();
    for (int p = 0; p < 6; ++p) states.back().push_back(sweep.Copy(p));
  }
  bool later_is_worse = false;
  for (int p = 0; p < 6; ++p) {
    const ProbeResult& result = (*results)[p];
    int best = 0;
    for (int epoch = 1; epoch < 6; ++epoch) {
      if (metrics[epoch][p].acc1 > metrics[best][p].acc1) best = epoch;
    }
    EXPECT_EQ(result.features, p / 3);
    EXPECT_EQ(result.probe.lr, options.sweep.grid[p % 3].lr);
    EXPECT_EQ(result.best_epoch, best) << p;
    EXPECT_EQ(result.best.acc1, metrics[best][p].acc1);
    EXPECT_EQ(result.best.loss, metrics[best][p].loss);
    EXPECT_EQ(result.last.acc1, metrics[5][p].acc1);
    EXPECT_EQ(result.diverged, -1);
    ASSERT_EQ(result.has_state(), p >= 3);
    if (p >= 3) {
      EXPECT_TRUE(
          at::equal(result.state.parameters[0].second, states[best][p].parameters[0].second))
          << p;
    }
    later_is_worse |= metrics[5][p].acc1 < metrics[best][p].acc1;
  }
  EXPECT_TRUE(later_is_worse) << "the data does not tell the best epoch from the last one";
}

TEST(ProbeGridTest, ADivergedProbeIsLeftOut) {
  GridOptions options = Options({{1e30, 1e30}, {0.1, 0}});
  std::vector<double> diverged;
  options.on_divergence = [&](const ProbeResult& r) { diverged.push_back(r.probe.lr); };
  const auto results = TrainGrid(options, Images(160, 5), Images(80, 50));
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_THAT(diverged, ElementsAre(1e30, 1e30));
  EXPECT_GE((*results)[0].diverged, 0);
  EXPECT_FALSE((*results)[2].has_state());
  EXPECT_EQ(BestProbe(*results)->probe.lr, 0.1);
  EXPECT_EQ(BestProbe(*results, /*kept=*/true)->features, 1);

  options.sweep.grid = {{1e30, 1e30}};
  EXPECT_TRUE(absl::IsAborted(TrainGrid(options, Images(160, 5), Images(80, 50)).status()));
}

ProbeResult Result(size_t features, double acc1) {
  ProbeResult result;
  result.features = features;
  result.best.acc1 = acc1;
  result.best_epoch = 0;
  return result;
}

TEST(ProbeGridTest, TheBestIsTheFirstOfEquals) {
  std::vector<ProbeResult> results = {Result(0, 0.5), Result(1, 0.7), Result(2, 0.7)};
  EXPECT_EQ(BestProbe(results)->features, 1);
  EXPECT_EQ(BestProbe(results, /*kept=*/true), nullptr);
  results[0].state.parameters = {{"weight", Random({1}, 1)}};
  EXPECT_EQ(BestProbe(results, /*kept=*/true)->features, 0);
  results[1].diverged = 3;
  EXPECT_EQ(BestProbe(results)->features, 2);
  EXPECT_EQ(BestProbe({}), nullptr);
}

TEST(ProbeGridTest, TheTableHasALineForEachProbe) {
  std::vector<ProbeResult> results = {Result(0, 0.25), Result(1, 0.5)};
  results[0].probe = {0.1, 1e-6};
  results[0].best = {1.5, 0.25, 0.75};
  results[0].last = {2, 0.125, 0.5};
  results[1].probe = {30, 0};
  results[1].diverged = 2;
  const std::vector<std::string> lines =
      absl::StrSplit(GridCsv(results, {"a,b", "backbone"}), '\n');
  ASSERT_THAT(lines, SizeIs(4));
  EXPECT_EQ(lines[1], "\"a,b\",0.1,1e-06,1,0.25,0.75,1.5,0.125,0.5,2,");
  EXPECT_EQ(lines[2], "backbone,30,0,,,,,,,,3");
  const auto columns = [](const std::string& line) {
    return std::count(line.begin(), line.end(), ',');
  };
  EXPECT_EQ(columns(lines[0]), columns(lines[2]));
}

}  // namespace
}  // namespace moco
