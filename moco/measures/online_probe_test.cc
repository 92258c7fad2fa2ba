#include "moco/measures/online_probe.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

namespace moco {
namespace {

constexpr int64_t kClasses = 4;

at::Tensor Random(at::IntArrayRef sizes, uint64_t seed) {
  return at::randn(sizes, at::detail::createCPUGenerator(seed), at::TensorOptions(at::kFloat));
}

// One direction of the features tells the class, and is small beside the others.
struct Images {
  at::Tensor labels, features;

  Images(int64_t n, uint64_t seed)
      : labels(at::randint(kClasses, {n}, at::detail::createCPUGenerator(seed),
                           at::TensorOptions(at::kLong))),
        features(Random({n, 20}, seed + 1)) {
    features.select(1, 3).mul_(0.1).add_(labels);
    features.select(1, 3).mul_(1e-3);
    features.select(1, 5).zero_();  // says nothing, and has no deviation
  }
};

double Accuracy(const Images& bank, const Images& queries, uint64_t seed = 1) {
  return OnlineProbeAccuracy(bank.features, bank.labels, queries.features, queries.labels, kClasses,
                             seed);
}

TEST(OnlineProbe, FindsWhatIsLinear) {
  EXPECT_GT(Accuracy(Images(3000, 1), Images(500, 2)), 0.8);
  Images guess(500, 2);
  guess.labels = Images(500, 9).labels;
  EXPECT_LT(Accuracy(Images(3000, 1), guess), 0.4);
}

TEST(OnlineProbe, ScaleAndPlaceOfTheFeaturesDoNotMatter) {
  Images bank(1000, 1), queries(500, 2);
  const double accuracy = Accuracy(bank, queries);
  for (Images* images : {&bank, &queries}) images->features = images->features * 1024 + 3;
  EXPECT_NEAR(Accuracy(bank, queries), accuracy, 0.01);
}

TEST(OnlineProbe, TheQueriesDecideNothing) {
  const Images bank(600, 1), queries(300, 2);
  Images half = queries;
  half.features = queries.features.narrow(0, 0, 150);
  half.labels = queries.labels.narrow(0, 0, 150);
  Images rest = queries;
  rest.features = queries.features.narrow(0, 150, 150);
  rest.labels = queries.labels.narrow(0, 150, 150);
  EXPECT_NEAR((Accuracy(bank, half) + Accuracy(bank, rest)) / 2, Accuracy(bank, queries), 1e-9);
}

TEST(OnlineProbe, LeavesLibTorchsGeneratorAndTheFeaturesAlone) {
  const Images bank(100, 1), queries(50, 2);
  const at::Tensor features = bank.features.clone().requires_grad_(true);
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  const at::Tensor before = generator.get_state();
  const double accuracy =
      OnlineProbeAccuracy(features * 1, bank.labels, queries.features, queries.labels, kClasses, 1);
  EXPECT_TRUE(generator.get_state().equal(before));
  EXPECT_FALSE(features.grad().defined());
  EXPECT_TRUE(features.detach().equal(bank.features));
  EXPECT_EQ(accuracy, Accuracy(bank, queries));
}

TEST(OnlineProbe, OfTheFewestImagesThereCanBe) {
  Images bank(2, 1);
  bank.labels[0] = 0;
  bank.labels[1] = 1;
  EXPECT_GE(Accuracy(bank, Images(10, 2)), 0);
}

}  // namespace
}  // namespace moco
