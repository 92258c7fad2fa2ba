#include "moco/before/cost.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace moco {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Cost Whole() {
  return {.memory = 5e9,
          .machine_memory = 8e9,
          .checkpoint = 1e8,
          .checkpoints = 7,
          .steps = 100,
          .steps_per_epoch = 20,
          .seconds = 50.5,
          .tried_steps = 2,
          .tried_images = 8};
}

TEST(CostTest, WhatIsWrittenIsRead) {
  const Cost cost = ReadCost(CostJson(Whole())).value();
  EXPECT_EQ(cost.memory, 5e9);
  EXPECT_EQ(cost.machine_memory, 8e9);
  EXPECT_EQ(cost.checkpoint, 1e8);
  EXPECT_EQ(cost.checkpoints, 7);
  EXPECT_EQ(cost.steps, 100);
  EXPECT_EQ(cost.steps_per_epoch, 20);
  EXPECT_EQ(cost.seconds, 50.5);
  EXPECT_EQ(cost.tried_steps, 2);
  EXPECT_EQ(cost.tried_images, 8);
  Cost untried = Whole();
  untried.tried_steps = 0;
  EXPECT_EQ(ReadCost(CostJson(untried)).value().seconds, 0);
  for (const char* other :
       {"", "Segmentation fault", "[1]", R"({"memory":5e9})", R"({"memory":"x"})"}) {
    EXPECT_FALSE(ReadCost(other).ok()) << other;
  }
}

TEST(CostTest, LinesSayWhatARunTakes) {
  Cost cost = Whole();
  auto lines = DescribeCost(cost, 3e9);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_THAT(lines[0], AllOf(HasSubstr("5.0 GB"), HasSubstr("8.0 GB")));
  EXPECT_THAT(lines[1], AllOf(HasSubstr("7 checkpoints"), HasSubstr("700 MB of the 3.0 GB")));
  EXPECT_THAT(lines[2], HasSubstr("5 epochs of 20 steps, 10 s each"));
  cost.steps = 90;  // a run that resumes within an epoch
  EXPECT_THAT(DescribeCost(cost, 3e9)[2], HasSubstr("4.5 epochs of 20 steps"));
  cost.tried_steps = 0;
  EXPECT_EQ(DescribeCost(cost, 3e9).size(), 2u);
}

}  // namespace
}  // namespace moco
