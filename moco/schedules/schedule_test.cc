// The reference's schedules. The contract of all schedules is in schedule_contract_test.cc.
#include "moco/schedules/schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace moco {
namespace {

TEST(CosineTest, IsHalfACosine) {
  const auto cosine = Schedules().Create("cosine", 200).value();
  EXPECT_EQ(cosine->Factor(0), 1);
  EXPECT_NEAR(cosine->Factor(50), 0.5 + std::sqrt(0.125), 1e-15);
  EXPECT_NEAR(cosine->Factor(100), 0.5, 1e-15);
  EXPECT_NEAR(cosine->Factor(150), 0.5 - std::sqrt(0.125), 1e-15);
  EXPECT_NEAR(cosine->Factor(199), 6.168375e-5, 1e-10);
}

TEST(StepTest, DropsFromTheGivenEpochsOn) {
  const auto step = Schedules().Create("step", 200).value();  // of MoCo v1: a tenth at 120 and 160
  EXPECT_EQ(step->Factor(0), 1);
  EXPECT_EQ(step->Factor(119), 1);
  EXPECT_DOUBLE_EQ(step->Factor(120), 0.1);
  EXPECT_DOUBLE_EQ(step->Factor(159), 0.1);
  EXPECT_DOUBLE_EQ(step->Factor(160), 0.01);
  EXPECT_DOUBLE_EQ(step->Factor(199), 0.01);
}

TEST(StepTest, TakesAnyEpochsInAnyOrder) {
  const auto step = Schedules().Create("step:at=30 10 10,factor=0.5", 40).value();
  EXPECT_EQ(step->Factor(9), 1);
  EXPECT_EQ(step->Factor(10), 0.25);
  EXPECT_EQ(step->Factor(30), 0.125);
  EXPECT_EQ(Schedules().Create("step:at=", 40).value()->Factor(39), 1);
}

TEST(StepTest, RefusesWhatIsNoEpoch) {
  for (const std::string at : {"1 two", "1.5", "-3"}) {
    EXPECT_EQ(Schedules().Create("step:at=" + at, 40).status().message(),
              "step: option 'at' is '" + at + "', must be epochs like '120 160'");
  }
}

}  // namespace
}  // namespace moco
