// What both trainers rely on, shown with a task of one weight.
#include "moco/training/training_run.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <opencv2/core/mat.hpp>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "base/signals.h"

namespace moco {
namespace {

using ::testing::HasSubstr;

class Grey : public data::Dataset {
 public:
  explicit Grey(int64_t size) : size_(size) {}
  int64_t size() const override { return size_; }
  absl::StatusOr<cv::Mat> Image(int64_t) const override { return cv::Mat::zeros(1, 1, CV_8UC1); }
  std::string Name(int64_t index) const override { return absl::StrCat(index); }
  int Label(int64_t) const override { return -1; }
  const std::vector<std::string>& classes() const override { return classes_; }

 private:
  const int64_t size_;
  const std::vector<std::string> classes_ = {};
};

// Adds what it draws to its weight, as dropout does; keeps what each step drew.
class DrawingTask : public TrainingTask {
 public:
  absl::Status Load(const Checkpoint& checkpoint) override {
    return CopyState(checkpoint.state, {{"weight", weight_}});
  }
  std::vector<at::Tensor> State() override { return {weight_}; }
  std::vector<double*> EpochSums() override { return {&sum_}; }
  absl::Status BeforeSteps() override { return absl::OkStatus(); }
  absl::Status Step(const data::Batch& batch, int64_t step, double lr) override {
    const at::Tensor drawn = at::rand({1});
    weight_ += drawn;
    draws_[step] = drawn.item<float>();
    if (step == stop_at) std::raise(SIGTERM);
    run->Report(step, lr, 10, "drawn", {{"loss", drawn.item<float>()}});
    return absl::OkStatus();
  }
  absl::Status EndEpoch(int64_t, int64_t done) override {
    std::this_thread::sleep_for(at_epoch_end);
    return Save(done);
  }
  absl::Status Save(int64_t done) override {
    return run->Save("checkpoints/checkpoint.pth.tar", done, State(), [&] {
      Checkpoint c;
      c.state = {{"weight", weight_}};
      return c;
    });
  }
  void Summarize() override {}
  double SecondsOfEpochEnds(int64_t) const override { return 0; }

  TrainingRun* run = nullptr;
  int64_t stop_at = -1;
  std::chrono::milliseconds at_epoch_end{0};
  std::map<int64_t, float> draws_;
  at::Tensor weight_ = at::zeros({1});

 private:
  double sum_ = 0;
};

class TrainingRunTest : public testing::Test {
 protected:
  TrainingRunTest() {
    std::filesystem::remove_all(folder_);
    options_.epochs = 2;
    options_.batch_size = 10;
    options_.schedule = "cosine";
    options_.loader_threads = 0;
    options_.print_every = 1;
    options_.seed = 5;
  }

  absl::Status Start(int64_t images) {
    base::CatchStopSignals();
    const Grey dataset(images);
    TrainingRun run(
        {"//test:run", "images", {"step", "epoch", "loss", "lr", "images_per_second", "waiting"}},
        options_, *alone_, task_);
    task_.run = &run;
    if (absl::Status s = run.Plan(images, /*drop_last=*/true); !s.ok()) return s;
    const RunSettings settings{{{"program", "test"}},
                               {{"data", absl::StrCat(images, " images")}},
                               {{"epochs", absl::StrCat(options_.epochs)}}};
    if (absl::Status s = run.FindStart(settings, {}); !s.ok()) return s;
    if (absl::Status s = run.ShareStart(); !s.ok()) return s;
    data::LoaderOptions loader;
    loader.rows = loader.cols = loader.channels = 1;
    loader.views = {[](const cv::Mat& image, base::Rng&) { return image; }};
    if (absl::Status s = run.StartLoader(dataset, loader); !s.ok()) return s;
    auto folder = base::RunFolder::Open(folder_);
    if (!folder.ok()) return folder.status();
    return run.Run(&*folder);
  }

  std::vector<nlohmann::json> Metrics() const {
    std::vector<nlohmann::json> lines;
    const std::string text = base::ReadFile(folder_ + "/metrics.jsonl").value();
    for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
      lines.push_back(nlohmann::json::parse(std::string(line)));
    }
    return lines;
  }

  const std::string folder_ = absl::StrCat(
      testing::TempDir(), "/", testing::UnitTest::GetInstance()->current_test_info()->name());
  const std::string checkpoint_ = folder_ + "/checkpoints/checkpoint.pth.tar";
  const std::unique_ptr<Communicator> alone_ = Communicators().Create("single").value();
  RunOptions options_;
  DrawingTask task_;
};

// Whatever a plugin draws in a step (dropout) is a function of the seed and the step.
TEST_F(TrainingRunTest, AStoppedRunDrawsWhatAnUnbrokenOneDraws) {
  ASSERT_TRUE(Start(50).ok());
  const auto unbroken = std::exchange(task_.draws_, {});
  const float weight = task_.weight_.item<float>();
  ASSERT_EQ(unbroken.size(), 10);

  std::filesystem::remove_all(folder_);
  task_.weight_.zero_();
  task_.stop_at = 6;
  const absl::Status stopped = Start(50);
  EXPECT_EQ(stopped.code(), absl::StatusCode::kCancelled);
  EXPECT_THAT(std::string(stopped.message()), HasSubstr("bazel run //test:run -- --resume="));
  EXPECT_EQ(ReadCheckpoint(checkpoint_)->facts.step, 7);
  task_.stop_at = -1;
  options_.earlier = {checkpoint_};
  ASSERT_TRUE(Start(50).ok());
  EXPECT_EQ(task_.draws_, unbroken);
  EXPECT_EQ(task_.weight_.item<float>(), weight);
}

// A launcher starts a run again with its first command, without --resume: the checkpoints of the
// folder are enough.
TEST_F(TrainingRunTest, GoesOnFromTheFoldersCheckpointsWithoutResume) {
  options_.epochs = 1;
  ASSERT_TRUE(Start(50).ok());
  task_.draws_.clear();
  task_.weight_.zero_();
  options_.epochs = 2;
  options_.earlier = {checkpoint_};
  ASSERT_TRUE(Start(50).ok());
  EXPECT_EQ(task_.draws_.begin()->first, 5);
  EXPECT_EQ(Metrics().size(), 10);
}

// Fewer images make shorter epochs, so that the run goes on at a smaller step; what it has
// recorded up to its checkpoint stays.
TEST_F(TrainingRunTest, AForcedResumeWithFewerImagesKeepsTheMetrics) {
  options_.epochs = 1;
  ASSERT_TRUE(Start(50).ok());
  options_.epochs = 2;
  options_.resume = checkpoint_;
  EXPECT_THAT(std::string(Start(30).message()), HasSubstr("--force=REASON"));
  options_.force = "two are gone";
  task_.draws_.clear();
  ASSERT_TRUE(Start(30).ok());
  EXPECT_EQ(task_.draws_.begin()->first, 3);
  EXPECT_EQ(Metrics().size(), 5 + 3);
  EXPECT_THAT(ReadCheckpoint(checkpoint_)->facts.forced, HasSubstr("50 images -> 30 images"));
}

TEST_F(TrainingRunTest, WhatIsBesideTrainingDoesNotCountAsTraining) {
  task_.at_epoch_end = std::chrono::milliseconds(2000);
  ASSERT_TRUE(Start(50).ok());
  EXPECT_GT(Metrics().back()["images_per_second"].get<double>(), 100);  // at most 50 with it
}

TEST_F(TrainingRunTest, TooManyStepsAndTooFewImagesAreRefused) {
  options_.epochs = int64_t{1} << 31;
  EXPECT_THAT(std::string(Start(50).message()), HasSubstr("--epochs"));
  options_.epochs = 2;
  EXPECT_THAT(std::string(Start(9).message()), HasSubstr("--batch-size"));
}

}  // namespace
}  // namespace moco
