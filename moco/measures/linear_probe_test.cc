#include "moco/measures/linear_probe.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace moco {
namespace {

Communicator& OneProcess() {
  static Communicator& communicator = *Communicators().Create("single").value().release();
  return communicator;
}

at::Tensor Random(at::IntArrayRef sizes, uint64_t seed) {
  return at::randn(sizes, at::detail::createCPUGenerator(seed), at::TensorOptions(at::kFloat));
}

at::Tensor RandomLabels(int64_t n, int64_t classes, uint64_t seed) {
  return at::randint(classes, {n}, at::detail::createCPUGenerator(seed),
                     at::TensorOptions(at::kLong));
}

at::Tensor Weight(const LinearProbe& probe) { return probe.State()[0].second.detach(); }
at::Tensor Bias(const LinearProbe& probe) { return probe.State()[1].second.detach(); }

TEST(LinearProbe, StartsAsTheProtocolSays) {
  const auto probe =
      LinearProbe::Create({.features = 400, .classes = 250, .seed = 3}, OneProcess()).value();
  EXPECT_EQ(Weight(*probe).sizes(), at::IntArrayRef({250, 400}));
  EXPECT_NEAR(Weight(*probe).mean().item<double>(), 0, 2e-4);
  EXPECT_NEAR(Weight(*probe).std().item<double>(), 0.01, 2e-4);
  EXPECT_TRUE(Bias(*probe).equal(at::zeros({250})));
  const auto same =
      LinearProbe::Create({.features = 400, .classes = 250, .seed = 3}, OneProcess()).value();
  const auto other =
      LinearProbe::Create({.features = 400, .classes = 250, .seed = 4}, OneProcess()).value();
  EXPECT_TRUE(Weight(*probe).equal(Weight(*same)));
  EXPECT_FALSE(Weight(*probe).equal(Weight(*other)));
}

// Softmax regression written out: gradient of the mean cross entropy is (p - onehot) x / N.
TEST(LinearProbe, StepsAsGradientDescentWithMomentumWrittenOut) {
  constexpr int64_t kN = 12, kD = 5, kClasses = 4;
  constexpr double kLr = 0.7, kMomentum = 0.9, kDecay = 0.01;
  const auto probe = LinearProbe::Create({.features = kD,
                                          .classes = kClasses,
                                          .momentum = kMomentum,
                                          .weight_decay = kDecay,
                                          .seed = 1},
                                         OneProcess())
                         .value();
  at::Tensor w = Weight(*probe).to(at::kDouble), b = Bias(*probe).to(at::kDouble);
  at::Tensor vw = at::zeros({kClasses, kD}, at::kDouble), vb = at::zeros({kClasses}, at::kDouble);
  for (uint64_t step = 0; step < 5; ++step) {
    const at::Tensor x = Random({kN, kD}, 10 + step), y = RandomLabels(kN, kClasses, 20 + step);
    const at::Tensor xd = x.to(at::kDouble);
    const at::Tensor p = (xd.matmul(w.t()) + b).softmax(1);
    const at::Tensor onehot =
        at::zeros({kN, kClasses}, at::kDouble).scatter_(1, y.view({-1, 1}), 1);
    const double loss = -(p.log() * onehot).sum().item<double>() / kN;
    const at::Tensor g = (p - onehot) / kN;
    vw = kMomentum * vw + g.t().matmul(xd) + kDecay * w;
    vb = kMomentum * vb + g.sum(0) + kDecay * b;
    w = w - kLr * vw;
    b = b - kLr * vb;

    const auto metrics = probe->Step(x, y, x.size(0), kLr);
    ASSERT_TRUE(metrics.ok()) << metrics.status();
    EXPECT_NEAR(metrics->loss, loss, 1e-5);
    EXPECT_TRUE(Weight(*probe).to(at::kDouble).allclose(w, 1e-4, 1e-5)) << "step " << step;
    EXPECT_TRUE(Bias(*probe).to(at::kDouble).allclose(b, 1e-4, 1e-5)) << "step " << step;
  }
}

TEST(LinearProbe, LearnsWhatIsLinear) {
  const auto probe =
      LinearProbe::Create({.features = 8, .classes = 3, .seed = 1}, OneProcess()).value();
  const at::Tensor x = Random({300, 8}, 2);
  const at::Tensor y = x.matmul(Random({8, 3}, 3)).argmax(1);
  const ProbeMetrics before = probe->Evaluate(x, y);
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(probe->Step(x, y, x.size(0), 1).ok());
  const ProbeMetrics after = probe->Evaluate(x, y);
  EXPECT_LT(after.loss, before.loss);
  EXPECT_GT(after.acc1, 0.95);
}

// Logits are the features: what the metrics must be can be read off them.
class Evaluation : public ::testing::Test {
 protected:
  std::unique_ptr<LinearProbe> Identity(int64_t classes) {
    auto probe =
        LinearProbe::Create({.features = classes, .classes = classes}, OneProcess()).value();
    Weight(*probe).zero_().fill_diagonal_(1);
    return probe;
  }
};

TEST_F(Evaluation, CountsTheFiveLargest) {
  std::vector<float> logits;
  for (int row = 0; row < 8; ++row) {
    for (int c = 0; c < 8; ++c) logits.push_back(8 - c);  // class c has rank c
  }
  const at::Tensor labels = at::arange(8, at::kLong);
  const ProbeMetrics metrics = Identity(8)->Evaluate(at::tensor(logits).view({8, 8}), labels);
  EXPECT_DOUBLE_EQ(metrics.acc1, 1.0 / 8);
  EXPECT_DOUBLE_EQ(metrics.acc5, 5.0 / 8);
  double loss = 0;
  for (int label = 0; label < 8; ++label) {
    double sum = 0;
    for (int c = 0; c < 8; ++c) sum += std::exp(label - c);
    loss += std::log(sum) / 8;
  }
  EXPECT_NEAR(metrics.loss, loss, 1e-5);
}

TEST_F(Evaluation, FewerClassesThanFive) {
  const at::Tensor logits = at::tensor({1.f, 2.f, 3.f, 3.f, 2.f, 1.f}).view({2, 3});
  const ProbeMetrics metrics =
      Identity(3)->Evaluate(logits, at::tensor(std::vector<int64_t>{2, 1}));
  EXPECT_EQ(metrics.acc1, 0.5);
  EXPECT_EQ(metrics.acc5, 1);
}

TEST_F(Evaluation, EachImageCountsOnceWhenTheLastBlockIsSmaller) {
  constexpr int64_t kN = 1500;  // 1,024 and 476
  const at::Tensor logits = Random({kN, 6}, 1), labels = RandomLabels(kN, 6, 2);
  const at::Tensor right = logits.argmax(1) == labels;
  EXPECT_NEAR(Identity(6)->Evaluate(logits, labels).acc1,
              right.to(at::kDouble).mean().item<double>(), 1e-12);
}

TEST(Ranks, CountTheClassesThatComeBefore) {
  const at::Tensor logits = at::tensor({3.f, 1.f, 2.f, 5.f, 5.f, 5.f}).view({2, 3});
  const auto ranks = [&](int64_t label) {
    const at::Tensor r = Ranks(logits, at::tensor(std::vector<int64_t>{label, label}).view({2, 1}));
    return std::vector<int64_t>{r[0].item<int64_t>(), r[1].item<int64_t>()};
  };
  EXPECT_EQ(ranks(0), (std::vector<int64_t>{0, 0}));
  EXPECT_EQ(ranks(1), (std::vector<int64_t>{2, 1}));  // equal ones in the order of the classes
  EXPECT_EQ(ranks(2), (std::vector<int64_t>{1, 2}));
}

TEST(LinearProbe, ALossThatIsNotFiniteUpdatesNothing) {
  const auto probe = LinearProbe::Create({.features = 4, .classes = 3}, OneProcess()).value();
  const at::Tensor labels = RandomLabels(6, 3, 1);
  ASSERT_TRUE(probe->Step(Random({6, 4}, 2), labels, 6, 0.1).ok());
  const at::Tensor before = Weight(*probe).clone();
  const at::Tensor bad = at::full_like(Random({6, 4}, 2), std::numeric_limits<float>::quiet_NaN());
  const auto metrics = probe->Step(bad, labels, 6, 0.1);
  EXPECT_TRUE(absl::IsAborted(metrics.status())) << metrics.status();
  EXPECT_TRUE(Weight(*probe).equal(before));
}

TEST(LinearProbe, ConstantsOutOfRangeAreRefused) {
  const auto probe =
      LinearProbe::Create({.features = 4, .classes = 3, .momentum = 2}, OneProcess());
  EXPECT_TRUE(absl::IsInvalidArgument(probe.status())) << probe.status();
}

}  // namespace
}  // namespace moco
