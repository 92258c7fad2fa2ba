// The reference's schedules. The contract of all schedules is in schedule_contract.cc.
#include "moco/schedules/schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>

namespace moco {
namespace {

std::unique_ptr<Schedule> Make(const std::string& spec, int64_t epochs,
                               int64_t steps_per_epoch = 1) {
  return Schedules().Create(spec, ScheduleContext{epochs, steps_per_epoch}).value();
}

TEST(CosineTest, IsHalfACosine) {
  const auto cosine = Make("cosine", 200);
  EXPECT_EQ(cosine->Factor(0), 1);
  EXPECT_NEAR(cosine->Factor(50), 0.5 + std::sqrt(0.125), 1e-15);
  EXPECT_NEAR(cosine->Factor(100), 0.5, 1e-15);
  EXPECT_NEAR(cosine->Factor(150), 0.5 - std::sqrt(0.125), 1e-15);
  EXPECT_NEAR(cosine->Factor(199), 6.168375e-5, 1e-10);
}

TEST(CosineTest, FallsByEpochsOrBySteps) {
  const auto epochs = Make("cosine", 10, 4), steps = Make("cosine:per_step=true", 10, 4);
  for (int64_t step = 0; step < 40; ++step) {
    EXPECT_EQ(epochs->Factor(step), epochs->Factor(step - step % 4));
    EXPECT_NEAR(steps->Factor(step), 0.5 * (1 + std::cos(M_PI * step / 40)), 1e-15);
  }
}

// adjust_learning_rate of MoCo v3, at epoch + i / iterations.
TEST(CosineTest, WarmsUpAsMoCoV3) {
  const auto cosine = Make("cosine:warmup=2,per_step=true", 10, 4);
  EXPECT_EQ(cosine->Factor(0), 0);
  EXPECT_EQ(cosine->Factor(1), 0.125);
  EXPECT_EQ(cosine->Factor(7), 0.875);
  EXPECT_EQ(cosine->Factor(8), 1);
  EXPECT_NEAR(cosine->Factor(13), 0.5 * (1 + std::cos(M_PI * 1.25 / 8)), 1e-15);
  EXPECT_EQ(Make("cosine:warmup=2", 10, 4)->Factor(11), 1);
}

TEST(StepTest, WarmsUp) {
  const auto step = Make("step:at=3,warmup=2", 4, 2);
  EXPECT_EQ(step->Factor(0), 0);
  EXPECT_EQ(step->Factor(3), 0.75);
  EXPECT_EQ(step->Factor(4), 1);
  EXPECT_DOUBLE_EQ(step->Factor(6), 0.1);
}

TEST(ScheduleTest, AWarmUpEndsBeforeTheRun) {
  for (const std::string name : {"cosine", "step"}) {
    EXPECT_EQ(Schedules().Create(name + ":warmup=4", ScheduleContext{4, 1}).status().message(),
              name + ": option 'warmup' is 4, must be less than --epochs, 4");
  }
}

TEST(StepTest, DropsFromTheGivenEpochsOn) {
  const auto step = Make("step", 200);  // of MoCo v1: a tenth at 120 and 160
  EXPECT_EQ(step->Factor(0), 1);
  EXPECT_EQ(step->Factor(119), 1);
  EXPECT_DOUBLE_EQ(step->Factor(120), 0.1);
  EXPECT_DOUBLE_EQ(step->Factor(159), 0.1);
  EXPECT_DOUBLE_EQ(step->Factor(160), 0.01);
  EXPECT_DOUBLE_EQ(step->Factor(199), 0.01);
}

TEST(StepTest, TakesAnyEpochsInAnyOrder) {
  const auto step = Make("step:at=30 10 10,factor=0.5", 40);
  EXPECT_EQ(step->Factor(9), 1);
  EXPECT_EQ(step->Factor(10), 0.25);
  EXPECT_EQ(step->Factor(30), 0.125);
  EXPECT_EQ(Make("step:at=", 40)->Factor(39), 1);
}

TEST(StepTest, RefusesWhatIsNoEpoch) {
  for (const std::string at : {"1 two", "1.5", "-3"}) {
    EXPECT_EQ(Schedules().Create("step:at=" + at, ScheduleContext{40, 1}).status().message(),
              "step: option 'at' is '" + at + "', must be epochs like '120 160'");
  }
}

}  // namespace
}  // namespace moco
