#include "moco/health.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <utility>

namespace moco {
namespace {

at::Tensor Unit(const at::Tensor& x) {
  return x / at::linalg_vector_norm(x, 2, /*dim=*/1, /*keepdim=*/true);
}

TEST(HealthTest, SimilaritiesAreMeansOverPairs) {
  const at::Tensor q = Unit(at::randn({5, 3}, at::kDouble)),
                   k = Unit(at::randn({5, 3}, at::kDouble));
  const at::Tensor last = Unit(at::randn({4, 3}, at::kDouble));
  const at::Tensor before = Unit(at::randn({4, 3}, at::kDouble));
  Similarities expected;
  for (int i = 0; i < 5; ++i) {
    for (int j = 0; j < 5; ++j) {
      const double s = (q[i] * k[j]).sum().item<double>();
      (i == j ? expected.own : expected.batch) += s / (i == j ? 5 : 20);
    }
    for (int j = 0; j < 4; ++j) {
      expected.earlier += (q[i] * (2 * last[j] - before[j])).sum().item<double>() / 20;
    }
  }
  const Similarities found = Similarities::Of(Compare(q, k, last, before));
  EXPECT_NEAR(found.own, expected.own, 1e-12);
  EXPECT_NEAR(found.batch, expected.batch, 1e-12);
  EXPECT_NEAR(found.earlier, expected.earlier, 1e-12);
  const Similarities single =
      Similarities::Of(Compare(q.narrow(0, 0, 1), k.narrow(0, 0, 1), last, {}));
  EXPECT_EQ(single.batch, single.earlier);
}

TEST(HealthTest, SpreadOfKnownKeys) {
  Health health;
  MeasureSpread(at::cat({at::eye(4), -at::eye(4)}), health);  // even in 4 dimensions
  EXPECT_NEAR(health.spread, 1, 1e-6);
  EXPECT_NEAR(health.dimensions, 4, 1e-5);
  MeasureSpread(at::tensor({1.0, 0.0, -1.0, 0.0}).view({2, 2}), health);  // on a line
  EXPECT_NEAR(health.spread, 1, 1e-12);
  EXPECT_NEAR(health.dimensions, 1, 1e-12);
  MeasureSpread(at::tensor({0.6, 0.8}).view({1, 2}).expand({7, 2}), health);  // all the same
  EXPECT_NEAR(health.spread, 0, 1e-12);
  EXPECT_EQ(health.dimensions, 1);
}

// What the views' batch has in common is a leak; encoders that move (`drift`) are none.
TEST(HealthTest, WhatABatchHasInCommonIsALeak) {
  const auto leak = [](double mark, double drift) {
    Similarities sums;
    const at::Tensor way = at::randn({1, 32}, at::kDouble);
    at::Tensor last, before;
    for (int step = 0; step < 200; ++step) {
      const at::Tensor images = at::randn({64, 32}, at::kDouble);
      const at::Tensor common = mark * at::randn({1, 32}, at::kDouble);
      const auto view = [&](double moved) {
        return images + common + moved * way + 0.5 * at::randn({64, 32}, at::kDouble);
      };
      const at::Tensor q = Unit(view(drift * step)), k = Unit(view(drift * (step - 5)));
      if (step > 1) sums += Similarities::Of(Compare(q, k, last, before));
      before = std::exchange(last, k);
    }
    Health health;
    MeasureLeak(sums, health);
    return health.leak;
  };
  EXPECT_LT(leak(0, 0), 0.02);
  EXPECT_LT(leak(0, 0.02), 0.02);
  EXPECT_NEAR(leak(1, 0), 0.5, 0.05);  // the mark is as strong as the image
}

TEST(HealthTest, Verdicts) {
  Health health;
  health.loss = 0.7;
  health.filled = 1;
  health.spread = 0.9;
  EXPECT_EQ(Verdict(health), "learning");
  health.leak = 0.4;
  EXPECT_EQ(Verdict(health).substr(0, 8), "leaking:");
  health.loss = 1;  // a guess
  EXPECT_EQ(Verdict(health).substr(0, 10), "collapsed:");
  health.loss = {};  // a loss without such a number is judged by the keys alone
  EXPECT_EQ(Verdict(health).substr(0, 8), "leaking:");
  health.loss = 0.7;
  health.spread = 0.01;
  EXPECT_EQ(Verdict(health).substr(0, 10), "collapsed:");
  health.filled = 0.99;
  EXPECT_EQ(Verdict(health), "filling");
  health.age = 1.98;  // half of the queue is older than an epoch
  EXPECT_NE(Verdict(health).find("--moco-k"), std::string::npos);
  health.filled = 1;
  EXPECT_EQ(Verdict(health).substr(0, 8), "crowded:");
  EXPECT_NE(Verdict(health).find("--moco-k"), std::string::npos);
}

}  // namespace
}  // namespace moco
