// Pretraining and the linear protocol on the fake device, or on a real one (devices.h): the same
// numbers as on the CPU, with every part of the method, and checkpoints that go on on either.
#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gflags/gflags.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <opencv2/core/mat.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "augment/augmentation.h"
#include "base/files.h"
#include "base/rng.h"
#include "base/run_folder.h"
#include "lincls/classifier_checkpoint.h"
#include "lincls/encoders/frozen_backbone.h"
#include "lincls/linear_trainer.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/moco.h"
#include "moco/training/device_views.h"
#include "moco/training/trainer.h"
#include "tests/device/devices.h"

DECLARE_bool(report);

namespace tests {
namespace {

using ::testing::HasSubstr;

// Batch normalisation has other loops on the CPU than on devices: sums are rounded otherwise.
constexpr double kRounding = 1e-9;

void ExpectSame(const at::Tensor& found, const at::Tensor& expected, double tolerance,
                const std::string& what) {
  const at::Tensor difference = found.cpu().to(at::kDouble) - expected.cpu().to(at::kDouble);
  const double of = at::linalg_vector_norm(expected.to(at::kDouble)).item<double>();
  EXPECT_LE(at::linalg_vector_norm(difference).item<double>(), tolerance * (of + 1e-3)) << what;
}

void ExpectSame(const moco::StateDict& found, const moco::StateDict& expected, double tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i].first, expected[i].first);
    ExpectSame(found[i].second, expected[i].second, tolerance, found[i].first);
  }
}

// --- Steps ---

moco::MoCoOptions Small() {
  moco::MoCoOptions o;
  o.encoder.backbone = "resnet_small:width=4,blocks=1,stages=2";
  o.encoder.head = "mlp:dim=8";
  o.queue_size = 30;  // the batch does not divide it
  o.momentum = 0.9;
  o.dtype = at::kDouble;
  o.seed = 3;
  return o;
}

std::unique_ptr<moco::MoCo> Make(const moco::MoCoOptions& options, c10::Device device,
                                 moco::Communicator& alone) {
  at::manual_seed(1);
  moco::MoCoOptions o = options;
  o.device = device;
  return moco::MoCo::Create(o, alone).value();
}

struct Variant {
  std::string name;
  void (*change)(moco::MoCoOptions&);
};

class StepsTest : public testing::TestWithParam<Variant> {
 protected:
  static at::Tensor Views(int seed) {
    at::manual_seed(200 + seed);
    return at::randn({8, 3, 16, 16}, at::kDouble).contiguous(at::MemoryFormat::ChannelsLast);
  }

  const std::unique_ptr<moco::Communicator> alone_ = moco::Communicators().Create("single").value();
};

TEST_P(StepsTest, AreTheCpus) {
  moco::MoCoOptions options = Small();
  GetParam().change(options);
  const auto here = Make(options, at::kCPU, *alone_),
             there = Make(options, DeviceUnderTest(), *alone_);
  ExpectSame(there->query_encoder().State(), here->query_encoder().State(), 0);
  for (int step = 0; step < 4; ++step) {
    at::manual_seed(100 + step);
    const at::Tensor x = at::randn({2, 8, 3, 16, 16}, at::kDouble);
    const auto view = [&](int v, c10::Device device) {
      return x[v].contiguous(at::MemoryFormat::ChannelsLast).to(device);
    };
    auto expected = here->Step(view(0, at::kCPU), view(1, at::kCPU), 0.05, step);
    auto found = there->Step(view(0, DeviceUnderTest()), view(1, DeviceUnderTest()), 0.05, step);
    ASSERT_TRUE(expected.ok() && found.ok());
    for (size_t i = 0; i < expected->Numbers().size(); ++i) {
      EXPECT_NEAR(*found->Numbers()[i], *expected->Numbers()[i], kRounding) << step << ": " << i;
    }
  }
  ExpectSame(there->query_encoder().State(), here->query_encoder().State(), kRounding);
  ExpectSame(there->key_encoder().State(), here->key_encoder().State(), kRounding);
  ExpectSame(there->queue().keys(), here->queue().keys(), kRounding, "queue");
  for (const at::Tensor& tensor : there->SharedState()) {
    EXPECT_EQ(tensor.device(), DeviceUnderTest());
  }
}

// Between two readings nothing waits for the device, and a reading waits once.
TEST_P(StepsTest, DoNotWaitForTheDevice) {
  moco::MoCoOptions options = Small();
  GetParam().change(options);
  if (!CountedWaits()) GTEST_SKIP() << "the device does not count";
  const auto there = Make(options, DeviceUnderTest(), *alone_);
  std::vector<at::Tensor> views;
  for (int i = 0; i < 10; ++i) views.push_back(Views(i).to(DeviceUnderTest()));
  ASSERT_TRUE(there->Step(views[0], views[1], 0.05, 0).ok());
  const int64_t before = *CountedWaits();
  for (int step = 1; step < 5; ++step) {
    there->StepAhead(views[2 * step], views[2 * step + 1], 0.05, step);
    EXPECT_EQ(*CountedWaits() - before, 0) << step;
  }
  EXPECT_EQ(there->Read().value().size(), 4);
  EXPECT_EQ(*CountedWaits() - before, 1);
  EXPECT_TRUE(there->Read().value().empty());
}

// What a loss that is not finite must leave, bit for bit.
std::vector<at::Tensor> Trained(moco::MoCo& moco) {
  std::vector<at::Tensor> all;
  for (const at::Tensor& p : moco.query_encoder().Parameters()) all.push_back(p.detach().cpu());
  for (const auto& slot : moco.optimizer().State()) {
    for (const at::Tensor& tensor : slot.tensors) all.push_back(tensor.cpu());
  }
  all.push_back(moco.queue().keys().cpu());
  all.push_back(at::tensor({moco.queue().position()}));
  for (at::Tensor& tensor : all) tensor = tensor.clone();
  return all;
}

void ExpectEqual(const std::vector<at::Tensor>& found, const std::vector<at::Tensor>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) EXPECT_TRUE(found[i].equal(expected[i])) << i;
}

// Noticed at once, and after further steps whose losses would be finite.
TEST_P(StepsTest, StopAtALossThatIsNotFinite) {
  moco::MoCoOptions options = Small();
  GetParam().change(options);
  for (const c10::Device device : {c10::Device(at::kCPU), DeviceUnderTest()}) {
    const auto early = Make(options, device, *alone_), late = Make(options, device, *alone_);
    const auto view = [&](int v) { return Views(v).to(device); };
    for (int step = 0; step < 2; ++step) {
      for (moco::MoCo* moco : {early.get(), late.get()}) {
        ASSERT_TRUE(moco->Step(view(2 * step), view(2 * step + 1), 0.05, step).ok());
      }
    }
    const std::vector<at::Tensor> last_finite = Trained(*late);
    at::Tensor bad = Views(4);
    bad[0][0][0][0] = std::numeric_limits<double>::quiet_NaN();
    const auto at_once = early->Step(bad.to(device), view(5), 0.05, 2);
    for (int step = 2; step < 5; ++step) {
      late->StepAhead(step == 2 ? bad.to(device) : view(2 * step), view(2 * step + 1), 0.05, step);
    }
    for (int again = 0; again < 2; ++again) {
      const auto read = late->Read();
      EXPECT_EQ(read.status().code(), absl::StatusCode::kAborted);
      EXPECT_THAT(std::string(read.status().message()), HasSubstr("nan at step 2;"));
      EXPECT_EQ(read.status(), at_once.status());
    }
    ExpectEqual(Trained(*early), last_finite);
    ExpectEqual(Trained(*late), last_finite);
    ExpectEqual(late->key_encoder().Parameters(), early->key_encoder().Parameters());
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, StepsTest,
    testing::Values(Variant{"v1", [](moco::MoCoOptions& o) { o.encoder.head = "linear:dim=8"; }},
                    Variant{"v2", [](moco::MoCoOptions&) {}},
                    Variant{"split_bn", [](moco::MoCoOptions& o) { o.encoder.bn_splits = 4; }},
                    Variant{"symmetric", [](moco::MoCoOptions& o) { o.symmetric = true; }},
                    Variant{"accumulate",
                            [](moco::MoCoOptions& o) {
                              o.accumulate = 2;
                              o.encoder.bn_splits = 2;
                            }},
                    Variant{"lars", [](moco::MoCoOptions& o) { o.optimizer = "lars"; }},
                    Variant{"adamw", [](moco::MoCoOptions& o) { o.optimizer = "adamw"; }},
                    Variant{"imagenet_stem",
                            [](moco::MoCoOptions& o) { o.encoder.backbone += ",stem=imagenet"; }}),
    [](const auto& info) { return info.param.name; });

// --- Runs ---

// Images of noise, in two classes of different brightness.
class Noise : public data::Dataset {
 public:
  int64_t size() const override { return images; }
  absl::StatusOr<cv::Mat> Image(int64_t index) const override {
    if (before_image) before_image();
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

  int64_t images = 24;
  std::function<void()> before_image;

 private:
  const std::vector<std::string> classes_ = {"dark", "light"};
};

class RunsTest : public testing::Test {
 protected:
  RunsTest() { FLAGS_report = false; }  // it would need codecs

  std::string Path(const std::string& name) {
    return absl::StrCat(testing::TempDir(), "/",
                        testing::UnitTest::GetInstance()->current_test_info()->name(), "/", name);
  }

  absl::Status Pretrain(const std::string& name, int64_t epochs, c10::Device device,
                        const std::string& loss = "info_nce") {
    return Pretrain(name, Options(epochs, device, loss));
  }

  moco::TrainerOptions Options(int64_t epochs, c10::Device device, const std::string& loss) {
    moco::TrainerOptions o;
    o.moco = Small();
    o.moco.device = device;
    o.moco.encoder.bn_splits = 2;
    o.moco.loss = loss;
    o.epochs = epochs;
    o.batch_size = 8;
    o.seed = 3;
    o.views = "random_resized_crop:size=8|flip|to_tensor|normalize";
    o.eval_views = "center_crop:size=8|to_tensor|normalize";
    o.loader_threads = 0;
    o.print_every = 1;
    o.knn_every = o.monitor_every = 1;
    o.knn_k = 5;
    return o;
  }

  absl::Status Pretrain(const std::string& name, moco::TrainerOptions o) {
    o.earlier = moco::ListCheckpoints(Path(name));
    auto trainer = moco::Trainer::Create(o, {&noise_, &noise_, &noise_}, *alone_);
    if (!trainer.ok()) return trainer.status();
    auto folder = base::RunFolder::Open(Path(name));
    if (!folder.ok()) return folder.status();
    return (*trainer)->Run(&*folder);
  }

  // The numbers of a run that do not depend on the machine's speed.
  std::vector<nlohmann::json> Metrics(const std::string& name) {
    std::vector<nlohmann::json> lines;
    const std::string text = base::ReadFile(Path(name) + "/metrics.jsonl").value();
    for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
      lines.push_back(nlohmann::json::parse(std::string(line)));
      for (const char* timing : {"pairs_per_second", "waiting"}) lines.back().erase(timing);
    }
    return lines;
  }

  void ExpectSameMetrics(const std::string& name, const std::string& expected_name) {
    const auto found = Metrics(name), expected = Metrics(expected_name);
    ASSERT_EQ(found.size(), expected.size());
    for (size_t i = 0; i < found.size(); ++i) {
      for (const auto& [key, value] : expected[i].items()) {
        if (!value.is_number()) continue;
        EXPECT_NEAR(found[i].at(key).get<double>(), value.get<double>(), kRounding) << key;
      }
    }
  }

  moco::Checkpoint Last(const std::string& name) {
    return moco::ReadCheckpoint(moco::ListCheckpoints(Path(name)).back()).value();
  }

  Noise noise_;
  const std::unique_ptr<moco::Communicator> alone_ = moco::Communicators().Create("single").value();
};

TEST_F(RunsTest, ACheckpointOfEitherDeviceGoesOnOnTheOther) {
  ASSERT_EQ(Pretrain("cpu", 4, at::kCPU), absl::OkStatus());
  ASSERT_EQ(Pretrain("device", 4, DeviceUnderTest()), absl::OkStatus());
  ASSERT_EQ(Pretrain("to_device", 2, at::kCPU), absl::OkStatus());
  testing::internal::CaptureStdout();
  ASSERT_EQ(Pretrain("to_device", 4, DeviceUnderTest()), absl::OkStatus());
  const std::string said = testing::internal::GetCapturedStdout();
  if (!DeviceUnderTest().is_cpu()) {
    EXPECT_THAT(said, HasSubstr("device cpu -> "));
  }
  ASSERT_EQ(Pretrain("to_cpu", 2, DeviceUnderTest()), absl::OkStatus());
  ASSERT_EQ(Pretrain("to_cpu", 4, at::kCPU), absl::OkStatus());
  const moco::Checkpoint expected = Last("cpu");
  for (const std::string name : {"device", "to_device", "to_cpu"}) {
    ExpectSameMetrics(name, "cpu");
    const moco::Checkpoint found = Last(name);
    ExpectSame(found.state, expected.state, kRounding);
    ASSERT_EQ(found.optimizer.slots.size(), expected.optimizer.slots.size());
    for (size_t i = 0; i < expected.optimizer.slots[0].second.size(); ++i) {
      ExpectSame(found.optimizer.slots[0].second[i], expected.optimizer.slots[0].second[i],
                 kRounding, absl::StrCat("velocity ", i));
    }
  }
}

// The views are sent, normalized, used and released without a wait; losses are read every 5 steps.
TEST_F(RunsTest, NoStepBetweenReadingsWaits) {
  if (!CountedWaits()) GTEST_SKIP() << "the device does not count";
  noise_.images = 96;  // one epoch of 12 steps
  moco::TrainerOptions options = Options(1, DeviceUnderTest(), "info_nce");
  options.print_every = 5;
  options.knn_every = options.monitor_every = 0;
  std::vector<int64_t> waits;  // before each step
  int64_t reads = 0;
  noise_.before_image = [&] {
    if (reads++ % options.batch_size == 0) waits.push_back(*CountedWaits());
  };
  ASSERT_EQ(Pretrain("run", options), absl::OkStatus());
  ASSERT_EQ(waits.size(), 12u);
  for (int step = 1; step < 11; ++step) {
    EXPECT_EQ(waits[step + 1] - waits[step], step == 4 || step == 9 ? 1 : 0) << step;
  }
  std::vector<int64_t> written;
  for (const auto& line : Metrics("run")) {
    if (line.contains("loss")) written.push_back(line["step"].get<int64_t>());
  }
  EXPECT_EQ(written, (std::vector<int64_t>{1, 5, 10}));
}

// How often losses are read changes neither the run nor what it records of epochs.
TEST_F(RunsTest, ReadingsChangeNothing) {
  for (const c10::Device device : {c10::Device(at::kCPU), DeviceUnderTest()}) {
    moco::Checkpoint expected;
    nlohmann::json epoch;
    for (const int64_t every : {1, 2, 100}) {
      const std::string name = absl::StrCat("run", device.str(), every);
      moco::TrainerOptions options = Options(2, device, "info_nce");
      options.print_every = every;
      ASSERT_EQ(Pretrain(name, options), absl::OkStatus());
      nlohmann::json last;
      for (const auto& line : Metrics(name)) {
        if (line.contains("epoch_loss")) last = line;
      }
      if (every == 1) {
        expected = Last(name);
        epoch = last;
      }
      ExpectSame(Last(name).state, expected.state, 0);
      EXPECT_EQ(last, epoch);
    }
  }
}

constexpr int64_t kBroken = 7;  // a step of the third epoch

// A loss that is not finite in one step.
struct Breaks : moco::Loss {
  at::Tensor operator()(const at::Tensor& positive, const at::Tensor& negative) const override {
    const at::Tensor loss = (negative.mean(1) - positive).mean();
    return calls++ == kBroken ? loss * std::numeric_limits<double>::quiet_NaN() : loss;
  }
  mutable int64_t calls = 0;
};
struct NoOptions {
  template <class Visitor>
  void Visit(Visitor&) {}
};
absl::StatusOr<std::unique_ptr<moco::Loss>> MakeBreaks(const NoOptions&) {
  return std::make_unique<Breaks>();
}
using moco::Losses;
REGISTER_PLUGIN(Losses, "breaks", "not finite in one step", NoOptions, MakeBreaks);

TEST_F(RunsTest, ALossThatIsNotFiniteEndsTheRunHoweverRarelyItIsRead) {
  for (const bool under_test : {false, true}) {
    const c10::Device device = under_test ? DeviceUnderTest() : c10::Device(at::kCPU);
    for (const int64_t every : {1, 2, 100}) {
      const std::string name = absl::StrCat(under_test ? "device" : "cpu", every);
      moco::TrainerOptions options = Options(6, device, "breaks");
      options.print_every = every;
      options.checkpoint_minutes = every == 2 ? 1e-9 : 0;  // a checkpoint reads, too
      const absl::Status stopped = Pretrain(name, options);
      EXPECT_EQ(stopped.code(), absl::StatusCode::kAborted);
      EXPECT_THAT(std::string(stopped.message()), HasSubstr("nan at step 7;"));
      EXPECT_LE(Last(name).facts.step.value(), kBroken);
      for (const auto& [key, tensor] : Last(name).state) {
        EXPECT_TRUE(tensor.isfinite().all().item<bool>()) << key;
      }
    }
  }
}

TEST(DeviceViewsTest, HaveTheBitsOfTheCpusViews) {
  const auto pipeline =
      augment::Pipeline::Create("center_crop:size=8|to_tensor|normalize", 3).value();
  for (const bool bytes : {true, false}) {
    cv::Mat images(4 * 8, 8, bytes ? CV_8UC3 : CV_32FC3);
    base::Rng rng(1, base::Purpose::kTest);
    for (int i = 0; i < 4 * 8 * 8 * 3; ++i) {
      if (bytes) {
        images.ptr()[i] = static_cast<uint8_t>(rng.UniformInt(0, 255));
      } else {
        images.ptr<float>()[i] = static_cast<float>(rng.Uniform());
      }
    }
    data::Batch batch;
    batch.size = 4;
    batch.views = {images, images};
    moco::DeviceViews here(pipeline, at::kCPU, at::kFloat);
    moco::DeviceViews there(pipeline, DeviceUnderTest(), at::kFloat);
    const auto expected = here(batch), found = there(batch);
    there.Release();
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[1].device(), DeviceUnderTest());
    EXPECT_TRUE(found[1].cpu().equal(expected[1]));
    EXPECT_TRUE(found[1].is_contiguous(at::MemoryFormat::ChannelsLast));
  }
}

// Frozen and fine-tuned.
TEST_F(RunsTest, TheLinearProtocolIsTheCpus) {
  ASSERT_EQ(Pretrain("encoder", 1, DeviceUnderTest()), absl::OkStatus());
  const moco::Checkpoint pretrained = Last("encoder");
  lincls::LinearOptions o;
  o.lr = 0.1;
  o.schedule = "step:at=2";
  o.epochs = 3;
  o.batch_size = 10;  // the last is smaller
  o.views = "random_resized_crop:size=8|flip|to_tensor|normalize";
  o.eval_views = "center_crop:size=8|to_tensor|normalize";
  o.loader_threads = 0;
  for (const bool finetune : {false, true}) {
    moco::StateDict expected;
    for (const c10::Device device : {c10::Device(at::kCPU), DeviceUnderTest()}) {
      auto encoder = lincls::FrozenBackbone::Create(pretrained, {}).value();
      encoder->To(device);
      if (finetune) encoder->Thaw();
      auto trainer = lincls::LinearTrainer::Create(o, {noise_, noise_}, *encoder, *alone_).value();
      const std::string name = absl::StrCat(finetune, device.str());
      auto folder = base::RunFolder::Open(Path(name)).value();
      ASSERT_EQ(trainer->Run(&folder), absl::OkStatus());
      const std::string path = absl::StrCat(Path(name), "/", lincls::kLastCheckpoint);
      const moco::Checkpoint last = moco::ReadCheckpoint(path).value();
      if (device.is_cpu()) {
        expected = last.state;
        continue;
      }
      ExpectSame(last.state, expected, finetune ? 1e-4 : 1e-5);  // float32
      // The classifier is validated as it was saved, wherever.
      const auto again =
          lincls::FrozenBackbone::Create(last, {.prefix = lincls::kClassifier}).value();
      const auto on_cpu = lincls::EvaluateLinear(o, noise_, *again, last, *alone_).value();
      again->To(DeviceUnderTest());
      const auto on_device = lincls::EvaluateLinear(o, noise_, *again, last, *alone_).value();
      EXPECT_NEAR(on_device.loss, on_cpu.loss, 1e-5);
      EXPECT_EQ(on_device.acc1, on_cpu.acc1);
    }
  }
}

// --- That these tests can fail ---

// A loss that forgets where its tensors are.
struct Forgetful : moco::Loss {
  at::Tensor operator()(const at::Tensor& positive, const at::Tensor& negative) const override {
    return (negative.index_select(1, at::tensor({0, 1})).sum(1) - positive).mean();
  }
};
absl::StatusOr<std::unique_ptr<moco::Loss>> MakeForgetful(const NoOptions&) {
  return std::make_unique<Forgetful>();
}
REGISTER_PLUGIN(Losses, "forgetful", "an index on the CPU", NoOptions, MakeForgetful);

TEST_F(RunsTest, AnIndexOnTheCpuIsFound) {
  if (DeviceUnderTest().is_cpu()) GTEST_SKIP() << "there is one device only";
  EXPECT_EQ(Pretrain("cpu", 1, at::kCPU, "forgetful"), absl::OkStatus());
  try {
    (void)Pretrain("device", 1, DeviceUnderTest(), "forgetful");
    FAIL() << "not found";
  } catch (const c10::Error& e) {
    EXPECT_THAT(e.what_without_backtrace(), HasSubstr("index_select"));
    EXPECT_THAT(e.what_without_backtrace(), HasSubstr("same device"));
  }
}

}  // namespace
}  // namespace tests
