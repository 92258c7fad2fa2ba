// The schedules at every epoch, and stochastic gradient descent by itself.
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

TEST(Schedules, AreTheReferencesAtEveryEpoch) {
  Comparison rates("learning rates", 1e-15);
  const auto all = Golden("parts")["rates"];
  for (const auto& golden : all) {
    const auto schedule = moco::Schedules().Create(golden["schedule"], 200).value();
    ASSERT_EQ(golden["rates"].size(), 200u);
    for (int64_t epoch = 0; epoch < 200; ++epoch) {
      const double lr = golden["lr"].get<double>() * schedule->Factor(epoch);
      const double theirs = golden["rates"][epoch];
      EXPECT_EQ(static_cast<float>(lr), static_cast<float>(theirs));
      rates.Number(absl::StrCat(golden["schedule"].get<std::string>(), " epoch ", epoch), lr,
                   golden["rates"][epoch]);
    }
  }
}

TEST(Sgd, DecaysEveryParameterAndStartsAsTheReference) {
  const auto golden = Golden("parts")["sgd"];
  std::vector<at::Tensor> parameters;
  for (const std::vector<int64_t> shape : golden["shapes"]) {
    parameters.push_back(Noise(10 + parameters.size(), shape).requires_grad_());
  }
  const auto sgd = moco::Optimizers()
                       .Create(absl::StrCat("sgd:momentum=", golden["momentum"].dump(),
                                            ",weight_decay=", golden["weight_decay"].dump()),
                               parameters)
                       .value();
  Comparison updates("updates", 1e-14);
  int64_t step = 0;
  for (const auto& update : golden["updates"]) {
    for (size_t i = 0; i < parameters.size(); ++i) {
      parameters[i].mutable_grad() = Noise(20 + 3 * step + i, parameters[i].sizes());
    }
    sgd->Step(golden["lr"].get<double>() / (step + 1));
    for (size_t i = 0; i < parameters.size(); ++i) {
      const std::string name = absl::StrCat("step ", step, " parameter ", i);
      updates.Tensors(name, {parameters[i]}, update["parameters"][i]);
      updates.Tensors(name + " momentum buffer", {sgd->State()[0].tensors[i]},
                      update["momentum_buffers"][i]);
    }
    ++step;
  }
  EXPECT_GT(step, 1);
}

}  // namespace
}  // namespace parity
