#include "base/rng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace base {
namespace {

TEST(RngTest, AStreamIsAFunctionOfItsKey) {
  Rng a(7, Purpose::kView, 1, 2, 3), b(7, Purpose::kView, 1, 2, 3);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.NextBits(), b.NextBits());
}

TEST(RngTest, EveryPartOfTheKeyMatters) {
  std::set<uint32_t> first;
  for (uint64_t seed : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 32})
    for (Purpose purpose : {Purpose::kOrder, Purpose::kView})
      for (uint64_t a : {0, 1})
        for (uint64_t b : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 32, (uint64_t{1} << 48) - 1})
          for (uint64_t c : {0, 1}) first.insert(Rng(seed, purpose, a, b, c).NextBits());
  EXPECT_EQ(first.size(), 3u * 2 * 2 * 4 * 2);
}

TEST(RngTest, UniformFillsItsRange) {
  Rng rng(1, Purpose::kTest);
  double sum = 0, low = 1, high = 0;
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    const double u = rng.Uniform();
    sum += u;
    low = std::min(low, u);
    high = std::max(high, u);
  }
  EXPECT_GE(low, 0);
  EXPECT_LT(high, 1);
  EXPECT_NEAR(sum / kDraws, 0.5, 0.005);
  EXPECT_LT(low, 1e-3);
  EXPECT_GT(high, 1 - 1e-3);
}

TEST(RngTest, UniformIntIsFlatAndIncludesBothEnds) {
  Rng rng(2, Purpose::kTest);
  int count[7] = {};
  for (int i = 0; i < 70000; ++i) ++count[rng.UniformInt(-3, 3) + 3];
  for (int c : count) EXPECT_NEAR(c, 10000, 400);
  EXPECT_EQ(rng.UniformInt(5, 5), 5);
}

TEST(RngTest, PermutationHoldsEachOnce) {
  std::vector<int64_t> order = Rng(3, Purpose::kTest).Permutation(1000);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  for (int64_t i = 0; i < 1000; ++i) EXPECT_EQ(order[i], i);
  EXPECT_TRUE(Rng(3, Purpose::kTest).Permutation(0).empty());
}

}  // namespace
}  // namespace base
