#include "moco/checkpoints/state_dict.h"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <utility>

namespace moco {
namespace {

StateDict Two(double a, double b) {
  return {{"q.a", at::full({2}, a)}, {"q.b", at::full({1, 3}, b)}};
}

TEST(StateDictTest, CopiesByNameWhateverTheOrder) {
  const StateDict to = Two(0, 0);
  StateDict from = Two(1, 2);
  std::swap(from[0], from[1]);
  ASSERT_TRUE(CopyState(from, to).ok());
  EXPECT_TRUE(CheckEqual(to, Two(1, 2)).ok());
}

TEST(StateDictTest, CopiesNothingWhenAnythingDiffers) {
  const StateDict to = Two(0, 0);
  StateDict from = Two(1, 2);
  from[1].second = at::zeros({3, 1});
  EXPECT_EQ(CopyState(from, to).message(), "'q.b' is [3 x 1], expected [1 x 3]");
  EXPECT_EQ(CopyState({from[0]}, to).message(), "'q.b' is missing");
  from = Two(1, 2);
  from.emplace_back("q.c", at::zeros({1}));
  EXPECT_EQ(CopyState(from, to).message(), "'q.c' is not expected");
  EXPECT_EQ(CopyState({}, to).message(), "'q.a' is missing (and 1 more)");
  EXPECT_TRUE(CheckEqual(to, Two(0, 0)).ok());
}

TEST(StateDictTest, BelowTakesThePrefixOff) {
  const StateDict below = Below({{"q.a", {}}, {"k.a", {}}, {"q.b.c", {}}}, "q.");
  ASSERT_EQ(below.size(), 2u);
  EXPECT_EQ(below[0].first, "a");
  EXPECT_EQ(below[1].first, "b.c");
}

TEST(StateDictTest, OneBitIsADifference) {
  EXPECT_TRUE(CheckEqual(Two(1, 2), Two(1, 2)).ok());
  EXPECT_EQ(CheckEqual(Two(1, 2), Two(1, std::nextafter(2.0f, 3.0f))).message(),
            "'q.b' has changed");
  EXPECT_FALSE(CheckEqual(Two(1, 2), {Two(1, 2)[0]}).ok());
  EXPECT_FALSE(CheckEqual({Two(1, 2)[0]}, Two(1, 2)).ok());
}

}  // namespace
}  // namespace moco
