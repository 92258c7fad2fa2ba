#include "tools/selection/strategy.h"

#include <gtest/gtest.h>

namespace selection {
namespace {

using Numbers = std::vector<int64_t>;

TEST(ShareOutTest, IsEvenAndTheFirstInOrderHaveOneMore) {
  EXPECT_EQ(ShareOut(12, {0, 1, 2}), (Numbers{4, 4, 4}));
  EXPECT_EQ(ShareOut(11, {2, 0, 1}), (Numbers{4, 3, 4}));
  EXPECT_EQ(ShareOut(2, {1, 3, 0, 2}), (Numbers{0, 1, 0, 1}));
  EXPECT_EQ(ShareOut(0, {0, 1}), (Numbers{0, 0}));
}

TEST(ShareOutTest, WhatOneHasNoRoomForGoesToTheOthersEvenly) {
  EXPECT_EQ(ShareOut(12, {2, 100, 100}, {0, 1, 2}), (Numbers{2, 5, 5}));
  EXPECT_EQ(ShareOut(13, {2, 100, 100}, {2, 1, 0}), (Numbers{2, 5, 6}));
  EXPECT_EQ(ShareOut(12, {0, 1, 11}, {0, 1, 2}), (Numbers{0, 1, 11}));
  EXPECT_EQ(ShareOut(30, {4, 9, 8, 100}, {0, 1, 2, 3}), (Numbers{4, 9, 8, 9}));
}

TEST(ShareOutDeathTest, NeedsRoomForAll) {
  EXPECT_DEATH(ShareOut(4, {1, 2}, {0, 1}), "1 more than there is room for");
}

TEST(InOrderTest, StrataTakeTurns) {
  Selection selection;
  selection.strata.resize(4);
  selection.strata[0].chosen = {10, 11};
  selection.strata[2].chosen = {20, 21, 22};
  selection.strata[3].chosen = {30};
  EXPECT_EQ(InOrder(selection), (Numbers{10, 20, 30, 11, 21, 22}));
  EXPECT_EQ(InOrder({}), Numbers{});
}

}  // namespace
}  // namespace selection
