#include "moco/measures/rank_verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace moco {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(RankVerdictTest, FeaturesThatLoseMostDirectionsHaveCollapsed) {
  EXPECT_EQ(VerdictWithRank("learning", 40, 65), "learning");
  EXPECT_EQ(VerdictWithRank("learning", 40, 20), "learning");
  EXPECT_EQ(VerdictWithRank("learning", 40, std::nan("")), "learning");
  EXPECT_THAT(VerdictWithRank("learning", 40, 5.42),
              AllOf(StartsWith("collapsed: "), HasSubstr("5.42"), HasSubstr("--weight-decay")));
}

// What the keys show has its own remedy, and a queue that fills says nothing yet.
TEST(RankVerdictTest, EarlierVerdictsStay) {
  for (const char* verdict : {"filling", "crowded: why", "collapsed: why", "leaking: why"}) {
    EXPECT_EQ(VerdictWithRank(verdict, 40, 5), verdict);
  }
}

}  // namespace
}  // namespace moco
