// The schedules at every step, and the optimizers by themselves.
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "moco/optimizers/optimizer.h"
#include "moco/schedules/schedule.h"
#include "tests/parity/golden.h"

namespace parity {
namespace {

TEST(Schedules, AreTheReferencesAtEveryStep) {
  Comparison rates("learning rates", 1e-15);
  const auto all = Golden("parts")["rates"];
  for (const auto& golden : all) {
    const moco::ScheduleContext run{golden["epochs"], golden["steps_per_epoch"]};
    const std::string spec = golden["schedule"];
    const auto schedule = moco::Schedules().Create(spec, run).value();
    ASSERT_EQ(golden["rates"].size(), run.epochs * run.steps_per_epoch);
    for (int64_t step = 0; step < run.epochs * run.steps_per_epoch; ++step) {
      const double lr = golden["lr"].get<double>() * schedule->Factor(step);
      const double theirs = golden["rates"][step];
      EXPECT_EQ(static_cast<float>(lr), static_cast<float>(theirs));
      rates.Number(absl::StrCat(spec, " step ", step), lr, golden["rates"][step]);
    }
  }
}

TEST(Optimizers, UpdateAsTheReferences) {
  const auto all = Golden("parts")["optimizers"];
  EXPECT_FALSE(all.empty());
  for (const auto& golden : all) {
    std::vector<at::Tensor> parameters;
    for (const std::vector<int64_t> shape : golden["shapes"]) {
      parameters.push_back(Noise(10 + parameters.size(), shape).requires_grad_());
    }
    const std::string spec = golden["spec"];
    const auto optimizer = moco::Optimizers().Create(spec, parameters).value();
    Comparison updates(spec, 1e-14);
    int64_t step = 0;
    for (const auto& update : golden["updates"]) {
      for (size_t i = 0; i < parameters.size(); ++i) {
        parameters[i].mutable_grad() = Noise(20 + 3 * step + i, parameters[i].sizes());
      }
      optimizer->Step(golden["lr"].get<double>() / (step + 1));
      const auto state = optimizer->State();
      EXPECT_EQ(state.size(), update["slots"].size());
      for (size_t i = 0; i < parameters.size(); ++i) {
        const std::string name = absl::StrCat("step ", step, " parameter ", i);
        updates.Tensors(name, {parameters[i]}, update["parameters"][i]);
        for (const auto& slot : state) {
          updates.Tensors(absl::StrCat(name, " ", slot.name), {slot.tensors[i]},
                          update["slots"].at(slot.name)[i]);
        }
      }
      ++step;
    }
    EXPECT_GT(step, 1);
  }
}

}  // namespace
}  // namespace parity
