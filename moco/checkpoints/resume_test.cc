#include "moco/checkpoints/resume.h"

#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/files.h"

namespace moco {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

Checkpoint Of(std::map<std::string, std::string> texts, int64_t epoch = 0) {
  Checkpoint c;
  c.epoch = epoch;
  c.facts = ReadFacts(texts).value();
  return c;
}

ResumePoint Point(std::map<std::string, std::string> texts) {
  ResumePoint point;
  point.checkpoint = Of(std::move(texts));
  return point;
}

TEST(ResumeTest, AnotherRunIsRefusedByTheFirstDifference) {
  ResumePoint p = Point({{"program", "pretrain"}, {"arch", "resnet18"}, {"seed", "1"}});
  const auto check = [&](const Settings& identity) {
    return std::string(CheckRun({identity, {}, {}}, "", p).message());
  };
  EXPECT_EQ(check({{"program", "pretrain"}, {"arch", "resnet18"}, {"new", "x"}}), "");
  EXPECT_THAT(check({{"arch", "resnet50"}, {"seed", "2"}}),
              AllOf(HasSubstr("--arch='resnet18'"), HasSubstr("'resnet50'")));
  EXPECT_THAT(check({{"program", "lincls"}, {"seed", "2"}}),
              AllOf(HasSubstr("by pretrain"), HasSubstr("of lincls")));
  p = Point({});  // a reference checkpoint
  EXPECT_EQ(check({{"arch", "resnet50"}}), "");
}

TEST(ResumeTest, DifferencesThatMayBeAreTold) {
  ResumePoint p = Point({{"lr", "0.03"}, {"threads", "2"}});
  ASSERT_TRUE(CheckRun({{}, {}, {{"lr", "0.03"}, {"threads", "2"}}}, "", p).ok());
  EXPECT_EQ(p.differences, "");
  ASSERT_TRUE(CheckRun({{}, {}, {{"lr", "0.5"}, {"threads", "4"}}}, "", p).ok());
  EXPECT_EQ(p.differences, "lr 0.03 -> 0.5; threads 2 -> 4");
}

TEST(ResumeTest, ARunKeepsItsIdentity) {
  const Settings settings = {{"arch", "resnet18"}, {"seed", "1"}};
  EXPECT_EQ(NewRunId(settings), NewRunId(settings));
  EXPECT_NE(NewRunId(settings), NewRunId({{"arch", "resnet18"}, {"seed", "2"}}));
  EXPECT_EQ(RunId(Of({{"run", "x"}})), "x");
  // The reference's checkpoints are told apart by their tensors.
  Checkpoint a, b;
  a.state = {{"module.queue", at::zeros({2, 3})}};
  b.state = {{"module.queue", at::ones({2, 3})}};
  EXPECT_EQ(RunId(a), RunId(a));
  EXPECT_NE(RunId(a), RunId(b));
}

class FindResumePointTest : public testing::Test {
 protected:
  FindResumePointTest() {
    std::filesystem::remove_all(folder_);
    EXPECT_TRUE(base::MakeFolders(folder_).ok());
  }

  std::string Write(const std::string& name, const std::string& run, int64_t step) {
    Checkpoint c = Of({{"run", run}, {"step", absl::StrCat(step)}}, step / 10);
    c.state = {{"x", at::full({3}, step)}};
    const std::string path = folder_ + name;
    EXPECT_TRUE(WriteCheckpoint(path, c).ok());
    return path;
  }
  static void Cut(const std::string& path) { std::filesystem::resize_file(path, 100); }

  const std::string folder_ = absl::StrCat(
      testing::TempDir(), "/", testing::UnitTest::GetInstance()->current_test_info()->name(), "/");
};

TEST_F(FindResumePointTest, TheNewestOfTheSameRun) {
  const std::string asked = Write("asked", "a", 20);
  const std::string old = Write("old", "a", 10), newer = Write("newer", "a", 25);
  EXPECT_EQ(FindResumePoint(asked, {})->path, asked);
  EXPECT_EQ(FindResumePoint(asked, {old})->path, asked);
  EXPECT_EQ(FindResumePoint(asked, {old, asked})->note, "");
  const auto point = FindResumePoint(asked, {old, newer});
  ASSERT_TRUE(point.ok());
  EXPECT_EQ(point->path, newer);
  EXPECT_EQ(point->checkpoint.facts.step, 25);
  EXPECT_EQ(point->note, "newer than --resume " + asked + ", of the same run");
  EXPECT_EQ(FindResumePoint("", {old, newer})->path, newer);
}

TEST_F(FindResumePointTest, DamagedOnesArePassedOverAndSetAside) {
  const std::string asked = Write("asked", "a", 10);
  const std::string whole = Write("whole", "a", 20), cut = Write("cut", "a", 30);
  Cut(cut);
  for (const std::string& given : {asked, std::string()}) {
    const auto point = FindResumePoint(given, {asked, whole, cut});
    ASSERT_TRUE(point.ok());
    EXPECT_EQ(point->path, whole);
    ASSERT_EQ(point->damaged.size(), 1);
    EXPECT_EQ(point->damaged[0].path, cut);
  }
  const auto point = FindResumePoint(asked, {whole, cut});
  const auto lines = DescribeResume(*point, 20, 8, 40, "");
  ASSERT_EQ(lines.size(), 2);  // and the note that it is newer than the one asked for
  EXPECT_EQ(lines[0], "resumed  from " + whole + ": epoch 3, step 4 of 8");
  const auto warnings = PutAsideDamaged(*point);
  ASSERT_EQ(warnings.size(), 1);
  EXPECT_THAT(warnings[0], HasSubstr(cut + ".damaged: checkpoint '" + cut));
  EXPECT_FALSE(std::filesystem::exists(cut));

  Cut(whole);
  EXPECT_EQ(FindResumePoint("", {whole}).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(FindResumePoint(asked, {whole})->path, asked);
}

TEST_F(FindResumePointTest, NoEarlierOneIsAdvisedIfAllAreDamaged) {
  const std::string first = Write("first", "a", 10), second = Write("second", "a", 20);
  Cut(first);
  Cut(second);
  const absl::Status all = FindResumePoint("", {first, second}).status();
  EXPECT_EQ(all.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(all.message()),
              AllOf(HasSubstr(second), HasSubstr("all 2"), Not(HasSubstr("earlier"))));
  EXPECT_THAT(std::string(FindResumePoint("", {first}).status().message()),
              AllOf(HasSubstr("only checkpoint"), Not(HasSubstr("earlier"))));
}

TEST_F(FindResumePointTest, TheOneAskedForMayBeGoneWhenThereAreOthers) {
  const std::string whole = Write("whole", "a", 20);
  const auto point = FindResumePoint(folder_ + "gone", {whole});
  ASSERT_TRUE(point.ok());
  EXPECT_EQ(point->path, whole);
  EXPECT_THAT(point->note, HasSubstr("gone': No such file"));
  EXPECT_EQ(FindResumePoint(folder_ + "gone", {}).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(FindResumePointTest, AnotherRunIsNotTaken) {
  const std::string asked = Write("asked", "a", 10), other = Write("other", "b", 20);
  const auto point = FindResumePoint(asked, {other});
  EXPECT_EQ(point.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(point.status().message()), HasSubstr("another run than"));
}

TEST(ResumeTest, OnlyAReasonForces) {
  ResumePoint p = Point({{"data", "50 images"}});
  EXPECT_TRUE(CheckRun({{}, {{"data", "50 images"}}, {}}, "", p).ok());
  EXPECT_THAT(std::string(CheckRun({{}, {{"data", "60 images"}}, {}}, "", p).message()),
              AllOf(HasSubstr("--data='50 images'"), HasSubstr("'60 images'"),
                    HasSubstr("--force=REASON")));
  EXPECT_TRUE(CheckRun({{}, {{"data", "60 images"}}, {}}, "ten more", p).ok());
  EXPECT_EQ(p.forced, "data 50 images -> 60 images (ten more)");
}

// Of a digest a user needs to know what it is of.
TEST(ResumeTest, OtherImagesOfTheSameNumberAreRefused) {
  for (const auto& [setting, images] : {std::pair(kImageNamesSetting, "other training images"),
                                        std::pair(kValidationNamesSetting, "other validation")}) {
    ResumePoint p = Point({{"data", "50 images"}, {setting, "00ff"}});
    EXPECT_TRUE(CheckRun({{}, {{"data", "50 images"}, {setting, "00ff"}}, {}}, "", p).ok());
    const RunSettings others{{}, {{"data", "50 images"}, {setting, "11ff"}}, {}};
    EXPECT_THAT(std::string(CheckRun(others, "", p).message()),
                AllOf(HasSubstr(images), HasSubstr("--force=REASON")));
    EXPECT_TRUE(CheckRun(others, "files renamed", p).ok());
    EXPECT_THAT(p.forced, HasSubstr("(files renamed)"));
    p = Point({{"data", "50 images"}});  // of an earlier version
    EXPECT_TRUE(CheckRun(others, "", p).ok());
  }
}

TEST(ResumeTest, TheStepMustBeOneOfTheRun) {
  EXPECT_EQ(NextStep(Of({{"step", "17"}}), 10, 30).value(), 17);
  EXPECT_EQ(NextStep(Of({}, 2), 10, 30).value(), 20);
  EXPECT_EQ(NextStep(Of({{"step", "17"}, {"steps_per_epoch", "10"}}, 1), 10, 30).value(), 17);
  EXPECT_EQ(NextStep(Of({{"step", "17"}, {"steps_per_epoch", "10"}}, 1), 12, 36).value(), 12);
  EXPECT_EQ(NextStep(Of({}, -2), 10, 30).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(NextStep(Of({}, std::numeric_limits<int64_t>::max()), 10, 30).status().code(),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(NextStep(Of({{"step", "30"}}), 10, 30).status().message(),
            "has 30 of 30 steps done, so that nothing is left to do; raise --epochs");
  EXPECT_EQ(NextStep(Of({{"step", "30"}}), 10, 30, /*may_be_done=*/true).value(), 30);
  EXPECT_FALSE(NextStep(Of({{"step", "31"}}), 10, 30, /*may_be_done=*/true).ok());
}

}  // namespace
}  // namespace moco
