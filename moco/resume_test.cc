#include "moco/resume.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace moco {
namespace {

Checkpoint Of(std::map<std::string, std::string> texts, int64_t epoch = 0) {
  Checkpoint c;
  c.epoch = epoch;
  c.mocopp = std::move(texts);
  return c;
}

TEST(ResumeTest, AnotherRunIsRefusedByTheFirstDifference) {
  const Checkpoint c = Of({{"program", "pretrain"}, {"arch", "resnet18"}, {"seed", "1"}});
  EXPECT_TRUE(CheckSettings(c, {{"program", "pretrain"}, {"arch", "resnet18"}, {"new", "x"}}).ok());
  EXPECT_EQ(CheckSettings(c, {{"arch", "resnet50"}, {"seed", "2"}}).message(),
            "was written with 'resnet18', this run has 'resnet50'; change --arch or start anew");
  EXPECT_EQ(
      CheckSettings(c, {{"program", "lincls"}, {"seed", "2"}}).message(),
      "was written by pretrain, not by lincls; give a checkpoint, or a run folder, of lincls");
  EXPECT_TRUE(CheckSettings(Of({}), {{"arch", "resnet50"}}).ok());  // a reference checkpoint
}

TEST(ResumeTest, DifferencesThatMayBeAreTold) {
  const Checkpoint c = Of({{"lr", "0.03"}, {"threads", "2"}});
  EXPECT_EQ(DescribeDifferences(c, {{"lr", "0.03"}, {"threads", "2"}}), "");
  EXPECT_EQ(DescribeDifferences(c, {{"lr", "0.5"}, {"threads", "4"}}),
            "lr was 0.03, is 0.5; threads was 2, is 4");
}

TEST(ResumeTest, TheStepMustBeOneOfTheRun) {
  EXPECT_EQ(NextStep(Of({{"step", "17"}}), 10, 30).value(), 17);
  EXPECT_EQ(NextStep(Of({}, 2), 10, 30).value(), 20);
  for (const char* step : {"-5", "x", "", "99999999999999999999"}) {
    EXPECT_EQ(NextStep(Of({{"step", step}}), 10, 30).status().code(), absl::StatusCode::kDataLoss);
  }
  EXPECT_EQ(NextStep(Of({}, -2), 10, 30).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(NextStep(Of({}, std::numeric_limits<int64_t>::max()), 10, 30).status().code(),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(NextStep(Of({{"step", "30"}}), 10, 30).status().message(),
            "has 30 of 30 steps done: nothing is left to do; raise --epochs");
}

}  // namespace
}  // namespace moco
