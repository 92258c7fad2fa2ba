// Training steps of MoCo v1 and v2, on given batches and shuffles: the loss at each, and all that
// is trained, kept or queued after the last.
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "moco/moco.h"
#include "moco/schedules/schedule.h"
#include "tests/parity/golden.h"

namespace parity {
namespace {

using nlohmann::json;

class Steps : public testing::TestWithParam<json> {};

TEST_P(Steps, AreTheReferences) {
  const json& run = GetParam();
  moco::MoCoOptions options;
  options.encoder = {.backbone = run["backbone"], .head = run["head"], .bn_splits = run["splits"]};
  options.loss = absl::StrCat("info_nce:temperature=", run["temperature"].dump());
  options.optimizer = absl::StrCat("sgd:weight_decay=", run["weight_decay"].dump());
  options.queue_size = run["queue"];
  options.momentum = run["momentum"];
  options.dtype = at::kDouble;
  options.seed = run["seed"];
  const auto communicator = moco::Communicators().Create("single").value();
  const auto schedule = moco::Schedules().Create(run["schedule"], run["epochs"]).value();
  Seed(options.seed);
  const auto moco = moco::MoCo::Create(options, *communicator).value();

  const int64_t batch = run["batch"], steps = run["losses"].size();
  {
    Comparison losses("losses", 1e-8);
    for (int64_t step = 0; step < steps; ++step) {
      const auto [x_q, x_k] = Views(step, batch, run["size"]);
      const double lr =
          run["lr"].get<double>() * schedule->Factor(step / run["steps_per_epoch"].get<int64_t>());
      const auto metrics = moco->Step(x_q, x_k, lr, step);
      ASSERT_TRUE(metrics.ok()) << metrics.status();
      losses.Number(absl::StrCat("step ", step), metrics->loss, run["losses"][step]);
      EXPECT_DOUBLE_EQ(metrics->top1 * batch, run["top1"][step].get<double>()) << step;
      EXPECT_DOUBLE_EQ(metrics->top5 * batch, run["top5"][step].get<double>()) << step;
    }
  }

  moco::StateDict velocities;
  const auto buffers = moco->optimizer().State()[0].tensors;
  for (const auto& [name, tensor] : moco->query_encoder().State()) {
    if (tensor.requires_grad()) velocities.emplace_back(name, buffers[velocities.size()]);
  }
  auto after = Groups(moco->query_encoder().State(), "encoder_q.");
  after.merge(Groups(moco->key_encoder().State(), "encoder_k."));
  after.merge(Groups(velocities, "momentum_buffer."));
  after["queue"] = {moco->queue().Transposed()};
  EXPECT_EQ(after.size(), run["after"].size());
  Comparison state("state after", 1e-8);
  for (const auto& [name, tensors] : after) state.Tensors(name, tensors, run["after"].at(name));
  EXPECT_EQ(moco->queue().position(), run["position"].get<int64_t>());
}

INSTANTIATE_TEST_SUITE_P(All, Steps, testing::ValuesIn(Golden("steps").get<std::vector<json>>()),
                         [](const auto& info) {
                           return info.param["name"].template get<std::string>();
                         });

}  // namespace
}  // namespace parity
