// Training steps of MoCo v1 and v2, on given batches and shuffles: the loss at each, and all that
// is trained, kept or queued after the last.
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "moco/moco.h"
#include "tests/parity/golden.h"
#include "tests/parity/run.h"

namespace parity {
namespace {

using nlohmann::json;

// What a failed test is told by: its name, not all of its numbers.
struct GoldenRun {
  json values;
};

std::string Name(const GoldenRun& run) { return run.values["name"]; }

void PrintTo(const GoldenRun& run, std::ostream* out) { *out << Name(run); }

class Steps : public testing::TestWithParam<GoldenRun> {};

TEST_P(Steps, AreTheReferences) {
  const json& golden = GetParam().values;
  TrainingRun run(golden, at::kDouble);
  const int64_t steps = golden["losses"].size();
  const int64_t queries = golden["batch"].get<int64_t>() * golden.value("directions", 1);
  {
    Comparison losses("losses", 1e-9);
    for (int64_t step = 0; step < steps; ++step) {
      const moco::StepMetrics metrics = run.Step(step);
      losses.Number(absl::StrCat("step ", step), metrics.loss, golden["losses"][step]);
      EXPECT_DOUBLE_EQ(metrics.top1 * queries, golden["top1"][step].get<double>()) << step;
      EXPECT_DOUBLE_EQ(metrics.top5 * queries, golden["top5"][step].get<double>()) << step;
    }
  }

  moco::MoCo& moco = run.model();
  moco::StateDict velocities;
  const auto buffers = moco.optimizer().State()[0].tensors;
  for (const auto& [name, tensor] : moco.query_encoder().State()) {
    if (tensor.requires_grad()) velocities.emplace_back(name, buffers[velocities.size()]);
  }
  auto after = Groups(moco.query_encoder().State(), "encoder_q.");
  after.merge(Groups(moco.key_encoder().State(), "encoder_k."));
  after.merge(Groups(velocities, "momentum_buffer."));
  after["queue"] = {moco.queue().Transposed()};
  EXPECT_EQ(after.size(), golden["after"].size());
  Comparison state("state after", 1e-8);
  for (const auto& [name, tensors] : after) state.Tensors(name, tensors, golden["after"].at(name));
  EXPECT_EQ(moco.queue().position(), golden["position"].get<int64_t>());
}

std::vector<GoldenRun> Runs() {
  std::vector<GoldenRun> runs;
  for (const json& golden : Golden("steps")) runs.push_back({golden});
  return runs;
}

INSTANTIATE_TEST_SUITE_P(All, Steps, testing::ValuesIn(Runs()),
                         [](const auto& info) { return Name(info.param); });

}  // namespace
}  // namespace parity
