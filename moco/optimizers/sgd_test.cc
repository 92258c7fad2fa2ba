// The contract of all optimizers is in optimizer_contract.cc.
#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "moco/optimizers/optimizer.h"

namespace moco {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

// torch.optim.SGD: g += wd p; v = g in the first step, then v = m v + g; p -= lr v.
TEST(SgdTest, IsTorchsFormula) {
  at::Tensor p = at::full({2}, 2.0, at::kDouble).requires_grad_();
  const auto sgd = Optimizers().Create("sgd:momentum=0.9,weight_decay=0.1", {p}).value();
  const auto step = [&](double gradient, double lr) {
    p.mutable_grad() = at::full({2}, gradient, at::kDouble);
    sgd->Step(lr);
    EXPECT_EQ(p.grad()[0].item<double>(), gradient) << "the gradient was written to";
    return p[1].item<double>();
  };
  EXPECT_NEAR(step(1, 0.5), 1.4, 1e-15);       // g 1.2       v 1.2
  EXPECT_NEAR(step(-1, 0.5), 1.29, 1e-15);     // g -0.86     v 0.22
  EXPECT_NEAR(step(2, 0.25), 0.70825, 1e-15);  // g 2.129     v 2.327
  EXPECT_NEAR(sgd->State()[0].tensors[0][0].item<double>(), 2.327, 1e-15);
}

TEST(SgdTest, WorksWithoutMomentum) {
  at::Tensor p = at::full({2}, 2.0, at::kDouble).requires_grad_();
  const auto sgd = Optimizers().Create("sgd:momentum=0,weight_decay=0.1", {p}).value();
  for (const double expected : {1.4, 0.83}) {
    p.mutable_grad() = at::full({2}, 1.0, at::kDouble);
    sgd->Step(0.5);
    EXPECT_NEAR(p[1].item<double>(), expected, 1e-15);
  }
}

TEST(SgdTest, DefaultsAndNamesAreTheReferences) {
  const at::Tensor p = at::full({2}, 2.0);
  const auto sgd = Optimizers().Create("sgd", {p}).value();
  EXPECT_THAT(sgd->Constants(),
              ElementsAre(Pair("momentum", ElementsAre(0.9)), Pair("dampening", ElementsAre(0)),
                          Pair("weight_decay", ElementsAre(1e-4))));
  ASSERT_EQ(sgd->State().size(), 1u);
  EXPECT_EQ(sgd->State()[0].name, "momentum_buffer");
}

}  // namespace
}  // namespace moco
