// The training loop on images made here: what it writes, how it stops, and that it goes on exactly.
#include "moco/training/trainer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/relu.h>
#include <gflags/gflags.h>
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
#include "moco/checkpoints/checkpoint.h"
#include "moco/losses/loss.h"
#include "moco/measures/measure_names.h"
#include "moco/training/monitor.h"

DECLARE_bool(report);

namespace moco {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kImages = 50, kBatch = 8, kStepsPerEpoch = kImages / kBatch, kEpochs = 2;

// Images of noise, in two classes of different brightness.
class Noise : public data::Dataset {
 public:
  int64_t size() const override { return images; }
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
  std::string Name(int64_t index) const override { return absl::StrCat(name, " ", index); }
  int Label(int64_t index) const override { return index % 2; }
  const std::vector<std::string>& classes() const override { return classes_; }

  std::function<void(int64_t reads)> before_image;
  std::string name = "noise";
  int64_t damaged = -1, images = kImages;

 private:
  mutable int64_t reads_ = 0;
  const std::vector<std::string> classes_ = {"dark", "light"};
};

TrainerOptions Small() {
  TrainerOptions o;
  o.moco.encoder.backbone = "resnet_small:width=8,blocks=1,stages=2";
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
  // Reports would read images besides those of the steps, which these tests count.
  TrainerTest() { FLAGS_report = false; }

  absl::Status Train(const TrainerOptions& options, const std::string& name) {
    base::CatchStopSignals();
    auto trainer = Trainer::Create(options, {&noise_, &noise_, &noise_, held_out_}, *alone_);
    if (!trainer.ok()) return trainer.status();
    auto folder = base::RunFolder::Open(Path(name));
    if (!folder.ok()) return folder.status();
    return (*trainer)->Run(&*folder);
  }

  // Asks the run to stop while the last image of step `stop` is read.
  void StopAfter(int64_t stop, const TrainerOptions& options, const std::string& name) {
    int64_t reads = 0;
    noise_.before_image = [&](int64_t) {
      if (++reads == stop * kBatch) std::raise(SIGTERM);
    };
    const absl::Status stopped = Train(options, name);
    noise_.before_image = nullptr;
    EXPECT_EQ(stopped.code(), absl::StatusCode::kCancelled);
    EXPECT_THAT(std::string(stopped.message()), HasSubstr(absl::StrCat("after step ", stop, ",")));
  }

  std::string Path(const std::string& name) {
    return absl::StrCat(testing::TempDir(), "/",
                        testing::UnitTest::GetInstance()->current_test_info()->name(), "/", name);
  }
  std::vector<std::string> Checkpoints(const std::string& name) {
    return ListCheckpoints(Path(name));
  }
  std::string Read(const std::string& path) { return base::ReadFile(path).value(); }

  // Without what depends on the machine's speed.
  std::vector<nlohmann::json> Metrics(const std::string& name) {
    std::vector<nlohmann::json> lines;
    for (absl::string_view line :
         absl::StrSplit(Read(Path(name) + "/metrics.jsonl"), '\n', absl::SkipEmpty())) {
      lines.push_back(nlohmann::json::parse(std::string(line)));
      for (const char* timing : {"pairs_per_second", "waiting"}) lines.back().erase(timing);
    }
    return lines;
  }

  Noise noise_;
  const data::Dataset* held_out_ = nullptr;
  const std::unique_ptr<Communicator> alone_ = Communicators().Create("single").value();
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

// The measures without labels: of the same sample in every evaluation, and without influence.
TEST_F(TrainerTest, MeasuresWithoutLabels) {
  TrainerOptions options = Small();
  ASSERT_TRUE(Train(options, "without").ok());
  options.monitor_every = 1;
  options.monitor_images = 20;
  ASSERT_TRUE(Train(options, "run").ok());
  std::vector<int64_t> steps;
  for (const auto& line : Metrics("run")) {
    if (!line.contains("rankme_backbone")) continue;
    steps.push_back(line["step"]);
    EXPECT_EQ(line.size(), 1 + MeasureMetrics().size()) << line;
    EXPECT_GE(line["rankme_backbone"].get<double>(), 1);
    EXPECT_LE(line["lidar_head"].get<double>(), 8.001);
    EXPECT_GT(line["alignment_head"].get<double>(), 0);
    EXPECT_LT(line["uniformity_backbone"].get<double>(), 0);
  }
  EXPECT_THAT(steps, testing::ElementsAre(0, kStepsPerEpoch, 2 * kStepsPerEpoch));
  EXPECT_EQ(Read(Checkpoints("run").back()), Read(Checkpoints("without").back()));

  // A run that was stopped finds the same numbers.
  StopAfter(kStepsPerEpoch + 2, Small(), "stopped");
  options.earlier = Checkpoints("stopped");
  ASSERT_TRUE(Train(options, "stopped").ok());
  EXPECT_EQ(Metrics("stopped").back(), Metrics("run").back());

  // Other images, other numbers.
  options.earlier.clear();
  Noise other;
  other.images = 30;
  held_out_ = &other;
  ASSERT_TRUE(Train(options, "held out").ok());
  EXPECT_NE(Metrics("held out").back(), Metrics("run").back());
  EXPECT_EQ(Read(Checkpoints("held out").back()), Read(Checkpoints("without").back()));
}

TEST_F(TrainerTest, MeasuresOfFewImages) {
  TrainerOptions options = Small();
  options.monitor_every = 1;
  Noise other;
  other.images = 1;
  held_out_ = &other;
  ASSERT_TRUE(Train(options, "run").ok());
  const nlohmann::json last = Metrics("run").back();
  EXPECT_TRUE(last.contains("rankme_head")) << last;
  EXPECT_FALSE(last.contains("uniformity_head")) << "of a single image";
}

// The untrained encoder is the same in both runs.
TEST_F(TrainerTest, MeasuresAreComputedInThePrecisionOfTheRun) {
  TrainerOptions options = Small();
  options.monitor_every = 1;
  std::vector<double> measured;
  for (const bool bf16 : {false, true}) {
    options.moco.bf16 = bf16;
    const std::string name = bf16 ? "bf16" : "fp32";
    ASSERT_TRUE(Train(options, name).ok());
    for (const nlohmann::json& line : Metrics(name)) {
      if (line["step"] == 0 && line.contains("rankme_backbone")) {
        measured.push_back(line["rankme_backbone"]);
      }
    }
  }
  ASSERT_EQ(measured.size(), 2);
  EXPECT_NE(measured[0], measured[1]);
  EXPECT_NEAR(measured[0], measured[1], 0.02 * measured[0]);
}

TEST(MonitorTest, MeasuresTakeATwentiethOfTheTime) {
  EXPECT_EQ(MeasuresInterval(512, 1'281'167), 1);
  EXPECT_EQ(MeasuresInterval(512, 5'000), 3);  // 2.56
  EXPECT_EQ(MeasuresInterval(500, 500), 25);
}

TEST_F(TrainerTest, KeepsTheNewest) {
  TrainerOptions options = Small();
  options.epochs = 4;
  options.keep = 2;
  ASSERT_TRUE(Train(options, "run").ok());
  EXPECT_THAT(Checkpoints("run"), testing::ElementsAre(EndsWith("checkpoint_0002.pth.tar"),
                                                       EndsWith("checkpoint_0003.pth.tar")));
}

// Stopped at every step there is, and resumed: the last checkpoint is the same file, byte for byte,
// and the metrics are the same.
TEST_F(TrainerTest, ResumesExactlyFromAnyStep) {
  ASSERT_TRUE(Train(Small(), "straight").ok());
  const std::string expected = Read(Checkpoints("straight").back());
  for (int64_t stop = 1; stop < kEpochs * kStepsPerEpoch; ++stop) {
    const std::string name = absl::StrCat("stopped", stop);
    StopAfter(stop, Small(), name);
    TrainerOptions options = Small();
    options.earlier = Checkpoints(name);
    ASSERT_TRUE(Train(options, name).ok());
    EXPECT_TRUE(Read(Checkpoints(name).back()) == expected) << stop;
    EXPECT_EQ(Metrics(name), Metrics("straight"));
  }
}

TEST_F(TrainerTest, SavesByTimeWithinEpochs) {
  TrainerOptions options = Small();
  options.checkpoint_minutes = 1e-9;  // at every step
  StopAfter(kStepsPerEpoch + 4, options, "run");
  EXPECT_THAT(Checkpoints("run"),
              testing::ElementsAre(EndsWith("checkpoint_0000.pth.tar"),
                                   EndsWith("checkpoint_0001_step_00003.pth.tar"),
                                   EndsWith("checkpoint_0001_step_00004.pth.tar")));
  options.earlier = Checkpoints("run");
  ASSERT_TRUE(Train(options, "run").ok());
  ASSERT_TRUE(Train(Small(), "straight").ok());
  EXPECT_TRUE(Read(Checkpoints("run").back()) == Read(Checkpoints("straight").back()));
}

TEST_F(TrainerTest, SavesTheFirstEveryNthAndTheLastEpoch) {
  TrainerOptions options = Small();
  options.epochs = 6;
  options.checkpoint_every = 2;
  options.checkpoint_prefix = kFlatCheckpoints;
  ASSERT_TRUE(Train(options, "run").ok());
  EXPECT_THAT(Checkpoints("run"),
              testing::ElementsAre(EndsWith("run/moco_unsupervised_0000.pth.tar"),
                                   EndsWith("run/moco_unsupervised_0002.pth.tar"),
                                   EndsWith("run/moco_unsupervised_0004.pth.tar"),
                                   EndsWith("run/moco_unsupervised_0005.pth.tar")));
}

// A job that is started again with the same command line: its --resume is the file that it began
// with, and newer ones lie in its folder.
TEST_F(TrainerTest, GoesOnFromTheNewestWholeCheckpointOfTheSameRun) {
  TrainerOptions options = Small();
  options.epochs = 4;
  StopAfter(kStepsPerEpoch, options, "first");
  options.resume = Checkpoints("first").back();
  ASSERT_TRUE(Train(options, "second").ok());
  const std::string last = Read(Checkpoints("second").back());

  base::WriteFileAtomically(Checkpoints("second").back(), last.substr(0, 1000)).IgnoreError();
  options.earlier = Checkpoints("second");
  testing::internal::CaptureStdout();
  ASSERT_TRUE(Train(options, "second").ok());
  const std::string said = testing::internal::GetCapturedStdout();
  EXPECT_THAT(said, testing::ContainsRegex("resumed  from .*second/checkpoints/"
                                           "checkpoint_0002.pth.tar: epoch 4, step 0 of 6"));
  EXPECT_THAT(said, HasSubstr("newer than --resume " + options.resume + ", of the same run"));
  EXPECT_THAT(said, HasSubstr("checkpoint_0003.pth.tar.damaged"));
  EXPECT_TRUE(Read(Checkpoints("second").back()) == last);
}

// Killed after its last checkpoint, before its last evaluation.
TEST_F(TrainerTest, ComesToItsEnd) {
  TrainerOptions options = Small();
  options.knn_every = options.monitor_every = 2;
  options.knn_k = 5;
  ASSERT_TRUE(Train(options, "run").ok());
  const auto all = Metrics("run");
  std::string lines = Read(Path("run") + "/metrics.jsonl");
  lines.resize(lines.rfind('\n', lines.size() - 2) + 1);
  ASSERT_TRUE(base::WriteFileAtomically(Path("run") + "/metrics.jsonl", lines).ok());
  options.earlier = Checkpoints("run");
  for (int again = 0; again < 2; ++again) {
    ASSERT_TRUE(Train(options, "run").ok());
    EXPECT_EQ(Metrics("run"), all);
  }
}

TEST_F(TrainerTest, RefusesToResumeAmongCheckpointsOfAnotherRun) {
  TrainerOptions options = Small();
  options.epochs = 4;
  StopAfter(2, options, "run");
  options.seed = 4;
  StopAfter(3, options, "other");
  options.seed = 3;
  options.resume = Checkpoints("run").back();
  options.earlier = Checkpoints("other");
  const absl::Status refused = Train(options, "other");
  EXPECT_EQ(refused.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("another run than"));
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
              HasSubstr("--moco-k='30', this run has '31'"));
  EXPECT_THAT(error([](auto& o) { o.seed = 4; }), HasSubstr("--seed="));
  EXPECT_THAT(error([](auto& o) { o.moco.symmetric = true; }), HasSubstr("--symmetric="));
  EXPECT_THAT(error([](auto& o) { o.batch_size = 10; }), HasSubstr("--batch-size="));
  EXPECT_THAT(error([](auto& o) { o.moco.encoder.head = "linear:dim=8"; }), HasSubstr("--head="));
  EXPECT_THAT(error([](auto& o) { o.moco.encoder.backbone += ",stem=imagenet"; }),
              HasSubstr("--arch="));
  EXPECT_THAT(error([](auto& o) { o.views = "center_crop:size=8|to_tensor|normalize"; }),
              HasSubstr("--force=REASON"));
  EXPECT_THAT(error([](auto& o) { o.epochs = 1; }), HasSubstr("nothing is left to do"));
  EXPECT_FALSE(std::filesystem::exists(Path("again"))) << "a refused run left a folder";
}

// As a build wrote it whose plugins had fewer options.
TEST_F(TrainerTest, ResumesWhatHadFewerOptions) {
  ASSERT_TRUE(Train(Small(), "run").ok());
  const std::string path = Checkpoints("run")[0];
  Checkpoint checkpoint = ReadCheckpoint(path).value();
  EXPECT_EQ(checkpoint.facts.settings["arch"],
            "resnet_small:width=8,blocks=1,stages=2,stem=cifar,channels=3");
  checkpoint.facts.settings["arch"] = "resnet_small:stages=2,width=8,blocks=1";
  checkpoint.facts.settings["schedule"] = "cosine";
  ASSERT_TRUE(WriteCheckpoint(path, checkpoint).ok());
  TrainerOptions options = Small();
  options.resume = path;
  ::testing::internal::CaptureStdout();
  const absl::Status status = Train(options, "again");
  const std::string said = ::testing::internal::GetCapturedStdout();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(said, ::testing::Not(HasSubstr("changed since")));
}

TEST_F(TrainerTest, AReferenceCheckpointMustFit) {
  TrainerOptions options = Small();
  options.epochs = 9;
  options.resume = "moco/checkpoints/testdata/reference_checkpoint.pth.tar";
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

TEST_F(TrainerTest, BadImagesOfTheWholeRunCount) {
  TrainerOptions options = Small();
  options.max_bad_images = 1;
  noise_.damaged = 7;
  StopAfter(kStepsPerEpoch, options, "run");  // nearly all images have been seen
  ASSERT_EQ(Read(Path("run") + "/bad_images.txt"), "noise 7\t'noise 7' is cut\n");
  noise_.damaged = 8;
  options.earlier = Checkpoints("run");
  EXPECT_THAT(std::string(Train(options, "run").message()), HasSubstr("2 images cannot be read"));
}

TEST_F(TrainerTest, OtherImagesAreForcedForAReasonThatIsKept) {
  TrainerOptions options = Small();
  options.epochs = 4;
  StopAfter(kStepsPerEpoch + 3, options, "run");
  noise_.images = kImages + 2 * kBatch;
  options.earlier = Checkpoints("run");
  EXPECT_THAT(std::string(Train(options, "run").message()),
              HasSubstr("--data='50 images', this run has '66 images'"));
  options.force = "16 more";
  testing::internal::CaptureStdout();
  ASSERT_TRUE(Train(options, "run").ok());
  const std::string said = testing::internal::GetCapturedStdout();
  EXPECT_THAT(said, HasSubstr("forced   data 50 images -> 66 images; image-names "));
  EXPECT_THAT(said, HasSubstr("epoch 2, step 0 of 8")) << "the epoch starts again";
  const auto last = ReadCheckpoint(Checkpoints("run").back());
  ASSERT_TRUE(last.ok());
  EXPECT_THAT(last->facts.forced, HasSubstr("data 50 images -> 66 images"));
  EXPECT_THAT(last->facts.forced, HasSubstr("(16 more)"));
}

TEST_F(TrainerTest, OtherImagesOfTheSameNumberAreNotTheRuns) {
  TrainerOptions options = Small();
  StopAfter(3, options, "run");
  noise_.name = "/elsewhere/noise";  // the data were moved
  options.earlier = Checkpoints("run");
  ASSERT_TRUE(Train(options, "run").ok());
  options.epochs += 1;
  noise_.name = "others";
  options.earlier = Checkpoints("run");
  const absl::Status refused = Train(options, "run");
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("--force=REASON"));
  options.force = "renamed";
  EXPECT_TRUE(Train(options, "run").ok());
}

struct NoOptions {
  template <class Visitor>
  void Visit(Visitor&) {}
};

// A loss of another scale, which does not say what chance is, as a plugin may be.
class Shifted : public Loss {
 public:
  at::Tensor operator()(const at::Tensor& positive, const at::Tensor& negative) const override {
    return 1000 + at::relu(1 - positive).mean() + at::relu(negative).mean();
  }
};
absl::StatusOr<std::unique_ptr<Loss>> MakeShifted(const NoOptions&) {
  return std::make_unique<Shifted>();
}
REGISTER_PLUGIN(Losses, "shifted", "a loss without a chance level", NoOptions, MakeShifted);

TEST_F(TrainerTest, ALossWithoutAChanceLevelIsNotComparedWithOne) {
  TrainerOptions options = Small();
  options.moco.loss = "shifted";
  testing::internal::CaptureStdout();
  ASSERT_TRUE(Train(options, "run").ok());
  EXPECT_THAT(testing::internal::GetCapturedStdout(), ::testing::Not(HasSubstr("of chance")));
  for (const auto& line : Metrics("run")) EXPECT_FALSE(line.contains("loss_of_chance"));
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
  EXPECT_THAT(said, HasSubstr("warning: the checkpoint"));
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
  EXPECT_THAT(error([](auto& o) { o.views = "flip|to_tensor"; }), HasSubstr("crop"));
  EXPECT_THAT(error([](auto& o) {
                o.moco.encoder.bn_splits = kBatch;
                o.views = "random_resized_crop:size=1|to_tensor|normalize";
              }),
              HasSubstr("more than one value per channel"));
  EXPECT_THAT(error([](auto& o) { o.schedule = "cosin"; }), HasSubstr("did you mean 'cosine'?"));
  EXPECT_THAT(error([](auto& o) { o.moco.loss = "info_nce:temperature=0"; }),
              HasSubstr("must be above 0"));
  EXPECT_FALSE(std::filesystem::exists(Path("run")));
}

}  // namespace
}  // namespace moco
