#include "moco/checkpoints/resume.h"

#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <limits>

#include "absl/strings/str_cat.h"
#include "base/files.h"

namespace moco {
namespace {

using ::testing::HasSubstr;

Checkpoint Of(std::map<std::string, std::string> texts, int64_t epoch = 0) {
  Checkpoint c;
  c.epoch = epoch;
  c.mocopp = std::move(texts);
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
  EXPECT_EQ(check({{"arch", "resnet50"}, {"seed", "2"}}),
            "was written with 'resnet18', this run has 'resnet50'; change --arch or start anew");
  EXPECT_EQ(
      check({{"program", "lincls"}, {"seed", "2"}}),
      "was written by pretrain, not by lincls; give a checkpoint, or a run folder, of lincls");
  p = Point({});  // a reference checkpoint
  EXPECT_EQ(check({{"arch", "resnet50"}}), "");
}

TEST(ResumeTest, DifferencesThatMayBeAreTold) {
  ResumePoint p = Point({{"lr", "0.03"}, {"threads", "2"}});
  ASSERT_TRUE(CheckRun({{}, {}, {{"lr", "0.03"}, {"threads", "2"}}}, "", p).ok());
  EXPECT_EQ(p.differences, "");
  ASSERT_TRUE(CheckRun({{}, {}, {{"lr", "0.5"}, {"threads", "4"}}}, "", p).ok());
  EXPECT_EQ(p.differences, "lr was 0.03, is 0.5; threads was 2, is 4");
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
  EXPECT_EQ(point->checkpoint.mocopp.at("step"), "25");
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
  const auto said = StartResumed(*FindResumePoint(asked, {whole, cut}), 20, 8, 40, "");
  ASSERT_EQ(said.size(), 3);
  EXPECT_THAT(said[0], HasSubstr("passed over, now " + cut + ".damaged: checkpoint '" + cut));
  EXPECT_EQ(said[1], "resumed  from " + whole + ": epoch 3, step 4 of 8");
  EXPECT_FALSE(std::filesystem::exists(cut));

  Cut(whole);
  EXPECT_EQ(FindResumePoint("", {whole}).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(FindResumePoint(asked, {whole})->path, asked);
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
  EXPECT_THAT(std::string(point.status().message()), HasSubstr("is of another run than"));
}

TEST(ResumeTest, OnlyAReasonForces) {
  ResumePoint p = Point({{"data", "50 images"}, {"bad_images", "7"}});
  EXPECT_TRUE(CheckRun({{}, {{"data", "50 images"}}, {}}, "", p).ok());
  EXPECT_EQ(ReadCounts(p)->bad_images.count(7), 1);
  EXPECT_EQ(CheckRun({{}, {{"data", "60 images"}}, {}}, "", p).message(),
            "was written with '50 images', this run has '60 images'; change --data, start anew, or "
            "insist by --force=REASON");
  EXPECT_TRUE(CheckRun({{}, {{"data", "60 images"}}, {}}, "ten more", p).ok());
  EXPECT_EQ(p.forced, "data was 50 images, is 60 images (ten more)");
  EXPECT_TRUE(ReadCounts(p)->bad_images.empty());
  EXPECT_EQ(ReadCounts(p)->forced, p.forced);
}

TEST(ResumeTest, CountsGoThroughACheckpoint) {
  ResumePoint p;
  const Counts counts{{3, 17}, {0.1, 1e-300, 12345.678901234567}, "why"};
  WriteCounts(counts, p.checkpoint);
  const auto read = ReadCounts(p);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->bad_images, counts.bad_images);
  EXPECT_EQ(read->epoch_sums, counts.epoch_sums);
  EXPECT_EQ(read->forced, "why");
  p.checkpoint.mocopp["epoch_sums"] = "1 x";
  EXPECT_EQ(ReadCounts(p).status().code(), absl::StatusCode::kDataLoss);
}

TEST(ResumeTest, TheStepMustBeOneOfTheRun) {
  EXPECT_EQ(NextStep(Of({{"step", "17"}}), 10, 30).value(), 17);
  EXPECT_EQ(NextStep(Of({}, 2), 10, 30).value(), 20);
  EXPECT_EQ(NextStep(Of({{"step", "17"}, {"steps_per_epoch", "10"}}, 1), 10, 30).value(), 17);
  EXPECT_EQ(NextStep(Of({{"step", "17"}, {"steps_per_epoch", "10"}}, 1), 12, 36).value(), 12);
  for (const char* step : {"-5", "x", "", "99999999999999999999"}) {
    EXPECT_EQ(NextStep(Of({{"step", step}}), 10, 30).status().code(), absl::StatusCode::kDataLoss);
  }
  EXPECT_EQ(NextStep(Of({}, -2), 10, 30).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(NextStep(Of({}, std::numeric_limits<int64_t>::max()), 10, 30).status().code(),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(NextStep(Of({{"step", "30"}}), 10, 30).status().message(),
            "has 30 of 30 steps done: nothing is left to do; raise --epochs");
  EXPECT_EQ(NextStep(Of({{"step", "30"}}), 10, 30, /*may_be_done=*/true).value(), 30);
  EXPECT_FALSE(NextStep(Of({{"step", "31"}}), 10, 30, /*may_be_done=*/true).ok());
}

}  // namespace
}  // namespace moco
