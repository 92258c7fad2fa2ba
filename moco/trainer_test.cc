// The training loop on images made here: what it writes, how it stops, and that it goes on exactly.
#include "moco/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <opencv2/core/mat.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "base/rng.h"
#include "base/signals.h"
#include "moco/checkpoint.h"

namespace moco {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kImages = 50, kBatch = 8, kStepsPerEpoch = kImages / kBatch, kEpochs = 2;

// Images of noise, in two classes of different brightness.
class Noise : public data::Dataset {
 public:
  int64_t size() const override { return kImages; }
  absl::StatusOr<cv::Mat> Image(int64_t index) const override {
    if (before_image) before_image(reads_++);
    if (index == damaged) return absl::DataLossError(absl::StrCat("'", Name(index), "' is cut"));
    cv::Mat image(12, 12, CV_8UC3);
    base::Rng rng(1, base::Purpose::kTest, index);
    for (int y = 0; y < image.rows; ++y) {
      for (int x = 0; x < 3 * image.cols; ++x) {
        image.ptr(y)[x] = rng.UniformInt(0, 127) + 128 * Label(index);
      }
    }
    return image;
  }
  std::string Name(int64_t index) const override { return absl::StrCat("noise ", index); }
  int Label(int64_t index) const override { return index % 2; }
  const std::vector<std::string>& classes() const override { return classes_; }

  std::function<void(int64_t reads)> before_image;
  int64_t damaged = -1;

 private:
  mutable int64_t reads_ = 0;
  const std::vector<std::string> classes_ = {"dark", "light"};
};

TrainerOptions Small() {
  TrainerOptions o;
  o.moco.encoder.backbone = "resnet_small:width=4,blocks=1,stages=2";
  o.moco.encoder.head = "mlp:dim=8";
  o.moco.encoder.bn_splits = 2;
  o.moco.queue_size = 30;
  o.schedule = "cosine";
  o.epochs = kEpochs;
  o.batch_size = kBatch;
  o.seed = o.moco.seed = 3;
  o.views = "random_resized_crop:size=8|flip|to_tensor|normalize";
  o.eval_views = "center_crop:size=8|to_tensor|normalize";
  o.loader_threads = 0;  // images are read when a step asks for them
  o.print_every = 1;
  return o;
}

class TrainerTest : public testing::Test {
 protected:
  absl::Status Train(const TrainerOptions& options, const std::string& name) {
    base::CatchStopSignals();
    auto trainer = Trainer::Create(options, {&noise_, &noise_, &noise_});
    if (!trainer.ok()) return trainer.status();
    auto folder = base::RunFolder::Open(Path(name));
    if (!folder.ok()) return folder.status();
    return (*trainer)->Run(*folder);
  }

  std::string Path(const std::string& name) {
    return absl::StrCat(testing::TempDir(), "/",
                        testing::UnitTest::GetInstance()->current_test_info()->name(), "/", name);
  }
  std::vector<std::string> Checkpoints(const std::string& name) {
    return ListCheckpoints(Path(name) + "/checkpoints");
  }
  std::string Read(const std::string& path) { return base::ReadFile(path).value(); }

  std::vector<nlohmann::json> Metrics(const std::string& name) {
    std::vector<nlohmann::json> lines;
    for (absl::string_view line :
         absl::StrSplit(Read(Path(name) + "/metrics.jsonl"), '\n', absl::SkipEmpty())) {
      lines.push_back(nlohmann::json::parse(std::string(line)));
    }
    return lines;
  }

  Noise noise_;
};

TEST_F(TrainerTest, WritesACheckpointAnEpochAndALineAStep) {
  TrainerOptions options = Small();
  options.knn_every = 2;
  options.knn_k = 5;
  ASSERT_TRUE(Train(options, "run").ok());
  EXPECT_EQ(Checkpoints("run").size(), kEpochs);
  int64_t steps = 0, evaluations = 0;
  for (const auto& line : Metrics("run")) {
    if (line.contains("loss")) {
      EXPECT_EQ(line["step"], ++steps);
    }
    if (line.contains("knn")) ++evaluations;
  }
  EXPECT_EQ(steps, kEpochs * kStepsPerEpoch);
  EXPECT_EQ(evaluations, 2);  // untrained, and after the second epoch
}

TEST_F(TrainerTest, KeepsTheNewest) {
  TrainerOptions options = Small();
  options.epochs = 4;
  options.keep = 2;
  ASSERT_TRUE(Train(options, "run").ok());
  EXPECT_THAT(Checkpoints("run"), testing::ElementsAre(EndsWith("checkpoint_0002.pth.tar"),
                                                       EndsWith("checkpoint_0003.pth.tar")));
}

// Stopped at every step there is, and resumed: the last checkpoint is the same file, byte for byte.
TEST_F(TrainerTest, ResumesExactlyFromAnyStep) {
  ASSERT_TRUE(Train(Small(), "straight").ok());
  const std::string expected = Read(Checkpoints("straight").back());
  for (int64_t stop = 1; stop < kEpochs * kStepsPerEpoch; ++stop) {
    const std::string name = absl::StrCat("stopped", stop);
    int64_t reads = 0;
    noise_.before_image = [&](int64_t) {
      if (++reads == stop * kBatch) std::raise(SIGTERM);  // while the step's last image is read
    };
    const absl::Status stopped = Train(Small(), name);
    noise_.before_image = nullptr;
    EXPECT_EQ(stopped.code(), absl::StatusCode::kDeadlineExceeded);
    EXPECT_THAT(std::string(stopped.message()),
                HasSubstr(absl::StrCat("after step ", stop, ", checkpoint written")));
    TrainerOptions options = Small();
    options.resume = Checkpoints(name).back();
    ASSERT_TRUE(Train(options, name).ok());
    EXPECT_TRUE(Read(Checkpoints(name).back()) == expected) << stop;
    std::vector<int64_t> steps, epochs;
    for (const auto& line : Metrics(name)) {
      (line.contains("loss") ? steps : epochs).push_back(line["step"]);
    }
    EXPECT_EQ(steps.size(), kEpochs * kStepsPerEpoch);
    EXPECT_EQ(epochs.size(), kEpochs);
  }
}

TEST_F(TrainerTest, WorksTheSameFromMoreThreads) {
  ASSERT_TRUE(Train(Small(), "none").ok());
  for (int threads : {1, 3}) {
    TrainerOptions options = Small();
    options.loader_threads = threads;
    const std::string name = absl::StrCat(threads);
    ASSERT_TRUE(Train(options, name).ok());
    EXPECT_TRUE(Read(Checkpoints(name).back()) == Read(Checkpoints("none").back()));
  }
}

TEST_F(TrainerTest, RefusesToResumeAnotherRun) {
  ASSERT_TRUE(Train(Small(), "run").ok());
  const auto error = [&](const std::function<void(TrainerOptions&)>& change) {
    TrainerOptions options = Small();
    options.epochs = 9;
    options.resume = Checkpoints("run")[0];
    change(options);
    return std::string(Train(options, "again").message());
  };
  EXPECT_THAT(error([](auto& o) { o.moco.queue_size = 31; }),
              HasSubstr("was written with '30', this run has '31'; change --moco-k"));
  EXPECT_THAT(error([](auto& o) { o.seed = 4; }), HasSubstr("change --seed"));
  EXPECT_THAT(error([](auto& o) { o.moco.symmetric = true; }), HasSubstr("change --symmetric"));
  EXPECT_THAT(error([](auto& o) { o.batch_size = 10; }), HasSubstr("change --batch-size"));
  EXPECT_THAT(error([](auto& o) { o.moco.encoder.head = "linear:dim=8"; }),
              HasSubstr("change --mlp"));
  EXPECT_THAT(error([](auto& o) { o.moco.encoder.backbone += ",stem=imagenet"; }),
              HasSubstr("change --arch"));
  EXPECT_THAT(error([](auto& o) { o.epochs = 1; }), HasSubstr("nothing is left to do"));
  EXPECT_FALSE(std::filesystem::exists(Path("again"))) << "a refused run left a folder";
}

TEST_F(TrainerTest, AReferenceCheckpointMustFit) {
  TrainerOptions options = Small();
  options.epochs = 9;
  options.resume = "moco/testdata/reference_checkpoint.pth.tar";
  EXPECT_THAT(std::string(Train(options, "run").message()), HasSubstr("does not fit this run"));
}

TEST_F(TrainerTest, BadImagesAreReplacedListedAndCounted) {
  noise_.damaged = 7;
  TrainerOptions options = Small();
  options.max_bad_images = 1;
  ASSERT_TRUE(Train(options, "run").ok());
  EXPECT_EQ(Read(Path("run") + "/bad_images.txt"), "noise 7\t'noise 7' is cut\n");
  options.max_bad_images = 0;
  const absl::Status stopped = Train(options, "strict");
  EXPECT_EQ(stopped.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(stopped.message()), HasSubstr("raise --max-bad-images"));
}

TEST_F(TrainerTest, StopsAtALossThatIsNotFinite) {
  TrainerOptions options = Small();
  options.lr = 1e30;
  const absl::Status stopped = Train(options, "run");
  EXPECT_EQ(stopped.code(), absl::StatusCode::kAborted);
  EXPECT_THAT(std::string(stopped.message()), HasSubstr("lower --lr"));
  EXPECT_THAT(Checkpoints("run"), IsEmpty());
}

// Checkpoints that cannot be written do not stop the run, and earlier ones stay whole.
TEST_F(TrainerTest, GoesOnWhenTheDiskIsFull) {
  TrainerOptions options = Small();
  options.epochs = 3;
  rlimit old;
  getrlimit(RLIMIT_FSIZE, &old);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  noise_.before_image = [&](int64_t reads) {
    const int64_t step = reads / kBatch;
    const rlimit limit = {step >= kStepsPerEpoch && step < 2 * kStepsPerEpoch ? 3000 : old.rlim_max,
                          old.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  };
  testing::internal::CaptureStdout();
  const absl::Status status = Train(options, "run");
  const std::string said = testing::internal::GetCapturedStdout();
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(said, HasSubstr("the checkpoint was not written, earlier ones are whole"));
  EXPECT_THAT(Checkpoints("run"), testing::ElementsAre(EndsWith("checkpoint_0000.pth.tar"),
                                                       EndsWith("checkpoint_0002.pth.tar")));
  for (const std::string& path : Checkpoints("run")) EXPECT_TRUE(ReadCheckpoint(path).ok());
}

TEST_F(TrainerTest, SaysWhatDoesNotFitBeforeTheFirstBatch) {
  const auto error = [&](const std::function<void(TrainerOptions&)>& change) {
    TrainerOptions options = Small();
    change(options);
    return std::string(Train(options, "run").message());
  };
  EXPECT_EQ(error([](auto& o) { o.batch_size = 52; }),
            "a batch of 52 cannot be filled from 50 images; set --batch-size to 1 to 50");
  EXPECT_EQ(error([](auto& o) { o.moco.encoder.bn_splits = 3; }),
            "--batch-size 8 cannot be split into --bn-splits 3 equal parts; make one divide the "
            "other");
  EXPECT_THAT(error([](auto& o) { o.views = "flip|to_tensor"; }), HasSubstr("after a crop"));
  EXPECT_THAT(error([](auto& o) { o.schedule = "cosin"; }), HasSubstr("did you mean 'cosine'?"));
  EXPECT_THAT(error([](auto& o) { o.moco.loss = "info_nce:temperature=0"; }),
              HasSubstr("must be above 0"));
  EXPECT_FALSE(std::filesystem::exists(Path("run")));
}

}  // namespace
}  // namespace moco
