// The contract of all losses is in loss_contract.cc.
#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/rand.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "moco/losses/loss.h"

namespace moco {
namespace {

// The reference: cross entropy of the logits [l_pos, l_neg] / T with the label 0.
at::Tensor CrossEntropy(const at::Tensor& positive, const at::Tensor& negative, double t) {
  const at::Tensor logits = at::cat({positive.unsqueeze(1), negative}, 1) / t;
  return -at::log_softmax(logits, 1).select(1, 0).mean();
}

TEST(InfoNceTest, IsTheCrossEntropyOfTheOwnKey) {
  at::manual_seed(1);
  const at::Tensor p = at::rand({5}, at::kDouble) * 2 - 1,
                   n = at::rand({5, 300}, at::kDouble) * 2 - 1;
  for (const double t : {1.0, 0.2, 0.07, 1e-3}) {
    at::Tensor p1 = p.clone().requires_grad_(), n1 = n.clone().requires_grad_();
    at::Tensor p2 = p.clone().requires_grad_(), n2 = n.clone().requires_grad_();
    const auto loss = Losses().Create(absl::StrCat("info_nce:temperature=", t)).value();
    const at::Tensor ours = (*loss)(p1, n1), expected = CrossEntropy(p2, n2, t);
    EXPECT_NEAR(ours.item<double>(), expected.item<double>(), 1e-12 * expected.item<double>()) << t;
    ours.backward();
    expected.backward();
    EXPECT_TRUE(at::allclose(p1.grad(), p2.grad(), 1e-9, 1e-12)) << t;
    EXPECT_TRUE(at::allclose(n1.grad(), n2.grad(), 1e-9, 1e-12)) << t;
  }
}

TEST(InfoNceTest, DefaultTemperatureIsThePapers) {
  const auto loss = Losses().Create("info_nce").value();
  // All similarities alike: log(1 + K), whatever the temperature; one apart: by 1 / T.
  const at::Tensor negative = at::full({1, 7}, 0.25, at::kDouble);
  EXPECT_NEAR((*loss)(at::full({1}, 0.25, at::kDouble), negative).item<double>(), std::log(8),
              1e-12);
  EXPECT_NEAR((*loss)(at::full({1}, 0.32, at::kDouble), negative).item<double>(),
              std::log(std::exp(1) + 7) - 1, 1e-12);
}

TEST(InfoNceTest, SmallTemperaturesDoNotOverflow) {
  const auto loss = Losses().Create("info_nce:temperature=1e-6").value();
  at::Tensor positive = at::full({2}, -1.0f).requires_grad_();
  const at::Tensor value = (*loss)(positive, at::full({2, 3}, 1.0f));
  EXPECT_NEAR(value.item<double>(), 2e6 + std::log(3), 0.125);  // float's steps are 0.125 here
  value.backward();
  EXPECT_TRUE(positive.grad().isfinite().all().item<bool>());
  EXPECT_EQ((*loss)(at::full({2}, 1.0f), at::full({2, 3}, -1.0f)).item<double>(), 0);
}

TEST(InfoNceTest, TemperatureIsPositive) {
  EXPECT_EQ(Losses().Create("info_nce:temperature=0").status().message(),
            "info_nce: option 'temperature' is '0', must be above 0");
}

}  // namespace
}  // namespace moco
