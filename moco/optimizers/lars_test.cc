// The contract of all optimizers is in optimizer_contract.cc, the formula in tests/parity.
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <vector>

#include "moco/optimizers/optimizer.h"

namespace moco {
namespace {

// The first update of a parameter of this shape, of `value`, from gradients of `gradient`.
double Update(const std::vector<int64_t>& shape, double value, double gradient) {
  const at::Tensor p = at::full(shape, value, at::kDouble);
  const auto lars =
      Optimizers().Create("lars:momentum=0.9,weight_decay=0.5,trust=0.1", {p}).value();
  p.mutable_grad() = at::full(shape, gradient, at::kDouble);
  lars->Step(2);
  return p.flatten()[0].item<double>() - value;
}

TEST(LarsTest, AnUpdateIsAsLargeAsTheWeightsAllow) {
  for (const double gradient : {-7.0, 1e-3, 7.0, 7e5}) {
    const double sign = gradient < 0 ? 1 : -1;
    EXPECT_NEAR(Update({2, 2}, 3, gradient), 2 * 0.1 * 3 * sign, 1e-12) << gradient;
  }
}

TEST(LarsTest, ParametersOfOneDimensionHaveNeitherDecayNorRatio) {
  EXPECT_NEAR(Update({4}, 3, 7), -2 * 7, 1e-12);
}

TEST(LarsTest, ZerosHaveNoRatio) {
  EXPECT_NEAR(Update({2, 2}, 0, 7), -2 * 7, 1e-12);
  EXPECT_EQ(Update({2, 2}, 0, 0), 0);
}

}  // namespace
}  // namespace moco
