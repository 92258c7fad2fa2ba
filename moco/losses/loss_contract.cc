// What every registered loss keeps.
#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "moco/losses/loss.h"

namespace moco {
namespace {

constexpr int64_t kBatch = 6, kNegatives = 40;

// Cosines, uniform in [-1, 1).
at::Tensor Cosines(at::IntArrayRef shape, uint64_t seed) {
  at::manual_seed(seed);
  return at::rand(shape, at::kDouble) * 2 - 1;
}

class LossContract : public testing::TestWithParam<std::string> {
 protected:
  const std::unique_ptr<Loss> loss_ = Losses().Create(GetParam()).value();
  const at::Tensor positive_ = Cosines({kBatch}, 1), negative_ = Cosines({kBatch, kNegatives}, 2);
};

TEST_P(LossContract, IsAScalarOfTheInputsTypeAndFiniteForEveryCosine) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    for (const double p : {-1, 0, 1}) {
      for (const double n : {-1, 0, 1}) {
        const at::Tensor loss =
            (*loss_)(at::full({kBatch}, p, type), at::full({kBatch, kNegatives}, n, type));
        EXPECT_EQ(loss.dim(), 0);
        EXPECT_EQ(loss.scalar_type(), type);
        EXPECT_TRUE(loss.isfinite().item<bool>()) << "positive " << p << ", negative " << n;
      }
    }
  }
}

TEST_P(LossContract, FallsWithThePositiveAndRisesWithEveryNegative) {
  at::Tensor positive = positive_.clone().requires_grad_();
  at::Tensor negative = negative_.clone().requires_grad_();
  (*loss_)(positive, negative).backward();
  EXPECT_LT(positive.grad().max().item<double>(), 0);
  EXPECT_GE(negative.grad().min().item<double>(), 0);
  EXPECT_GT(negative.grad().max().item<double>(), 0);
}

TEST_P(LossContract, IsTheMeanOverTheBatchAndBlindToTheQueuesOrder) {
  const double whole = (*loss_)(positive_, negative_).item<double>();
  double mean = 0;
  for (int64_t i = 0; i < kBatch; ++i) {
    const at::Tensor one = (*loss_)(positive_.slice(0, i, i + 1), negative_.slice(0, i, i + 1));
    mean += one.item<double>() / kBatch;
  }
  EXPECT_NEAR(whole, mean, 1e-12);
  EXPECT_NEAR(whole, (*loss_)(positive_, negative_.flip(1)).item<double>(), 1e-12);
}

TEST_P(LossContract, ChanceIsTheLossOfEqualSimilarities) {
  const auto chance = loss_->Chance(kNegatives);
  if (!chance) return;
  for (const double similarity : {-0.5, 0.0, 1.0}) {
    const at::Tensor loss = (*loss_)(at::full({kBatch}, similarity, at::kDouble),
                                     at::full({kBatch, kNegatives}, similarity, at::kDouble));
    EXPECT_NEAR(loss.item<double>(), *chance, 1e-9);
  }
}

TEST_P(LossContract, CanonicalSpecMakesTheSameLoss) {
  const auto again = Losses().Create(Losses().Canonical(GetParam()).value()).value();
  EXPECT_TRUE((*again)(positive_, negative_).equal((*loss_)(positive_, negative_)));
}

INSTANTIATE_TEST_SUITE_P(All, LossContract, testing::ValuesIn(Losses().Names()),
                         [](const auto& info) { return info.param; });

TEST(LossContractTest, IsOfSomething) { EXPECT_FALSE(Losses().Names().empty()); }

}  // namespace
}  // namespace moco
