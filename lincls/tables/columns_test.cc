#include "lincls/tables/columns.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "augment/augmentation.h"
#include "base/rng.h"
#include "data/test_images.h"
#include "lincls/encoders/feature_network.h"
#include "moco/encoder.h"
#include "moco/training/images.h"

namespace lincls {
namespace {

using ::testing::HasSubstr;

constexpr char kSpec[] = "resnet_small:width=4,blocks=1,stages=2,stem=cifar,channels=3";
constexpr char kViews[] = "random_resized_crop:size=12,scale_min=0.2|flip|to_tensor|normalize";
constexpr int64_t kDim = 5, kKeys = 7, kSeed = 11;
constexpr double kTemperature = 0.2;

class SixImages : public data::Dataset {
 public:
  int64_t size() const override { return 6; }
  absl::StatusOr<cv::Mat> Image(int64_t index) const override {
    return data::TestImage(static_cast<int>(index), 20, 20);
  }
  std::string Name(int64_t index) const override { return absl::StrCat(index); }
  int Label(int64_t index) const override { return -1; }
  const std::vector<std::string>& classes() const override { return classes_; }

 private:
  const std::vector<std::string> classes_ = {};
};

class EnergiesTest : public testing::Test {
 protected:
  EnergiesTest() {
    at::manual_seed(1);
    for (int i = 0; i < 2; ++i) {
      encoders_.push_back(
          moco::Encoder::Create({.backbone = kSpec, .head = absl::StrCat("mlp:dim=", kDim)})
              .value());
      encoders_[i]->Initialize();
      encoders_[i]->Train(false);
      for (const auto& [name, tensor] : encoders_[i]->State()) {
        checkpoint_.state.emplace_back((i == 0 ? kPretrained : "module.encoder_k.") + name, tensor);
      }
    }
    at::Tensor queue = at::randn({kDim, kKeys});
    queue = queue / queue.norm(2, {0}, /*keepdim=*/true);
    checkpoint_.state.emplace_back("module.queue", queue);
    queue_ = queue;
    checkpoint_.facts.settings = {{"arch", kSpec},
                                  {"head", absl::StrCat("mlp:dim=", kDim)},
                                  {"views", kViews},
                                  {"loss", absl::StrCat("info_nce:temperature=", kTemperature)}};
    options_.columns = {kDisagreementColumn, kMocoLossColumn};
    options_.augmented_views = 3;
    options_.seed = kSeed;
    options_.batch_size = 6;
    Read();
  }

  void Read() { network_ = FeatureNetwork::Create(checkpoint_, {}).value(); }

  absl::StatusOr<std::unique_ptr<ImageColumns>> Create() const {
    return ImageColumns::Create(options_, checkpoint_, network_->backbone(), network_->head(),
                                images_);
  }

  // Each column's values of the images from batch `step` on.
  std::vector<std::vector<float>> All(int64_t step = 0) const {
    const auto columns = Create().value();
    EXPECT_TRUE(columns->Start(step).ok());
    std::vector<std::vector<float>> all(options_.columns.size());
    for (int64_t from = step * options_.batch_size; from < 6; from += options_.batch_size) {
      const auto values = columns->Next();
      EXPECT_TRUE(values.ok()) << values.status();
      for (size_t i = 0; i < all.size(); ++i) {
        all[i].insert(all[i].end(), (*values)[i].begin(), (*values)[i].end());
      }
    }
    return all;
  }

  // The unit vector that an encoder gives of a view of an image, alone.
  std::vector<double> Vector(const moco::Encoder& encoder, int64_t image, int64_t v) const {
    at::NoGradGuard no_grad;
    const auto pipeline = augment::Pipeline::Create(kViews).value();
    base::Rng rng(kSeed, base::Purpose::kView, 0, image, v);
    data::Batch batch;
    batch.size = 1;
    batch.views = {moco::MakeView(pipeline).value()(*images_.Image(image), rng).clone()};
    const at::Tensor z = encoder(moco::ViewTensor(batch, 0, pipeline)).to(at::kDouble);
    const at::Tensor unit = (z / z.norm()).contiguous();
    return {unit.const_data_ptr<double>(), unit.const_data_ptr<double>() + kDim};
  }

  static double Dot(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (int i = 0; i < kDim; ++i) sum += a[i] * b[i];
    return sum;
  }

  void ExpectNotFound(const std::string& message) const {
    const auto columns = Create();
    EXPECT_EQ(columns.status().code(), absl::StatusCode::kNotFound) << columns.status();
    EXPECT_THAT(std::string(columns.status().message()), HasSubstr(message));
  }

  void RemoveFromState(const std::string& prefix) {
    auto& state = checkpoint_.state;
    state.erase(std::remove_if(state.begin(), state.end(),
                               [&](const auto& e) { return absl::StartsWith(e.first, prefix); }),
                state.end());
    Read();
  }

  const SixImages images_;
  std::vector<std::unique_ptr<moco::Encoder>> encoders_;  // query, key
  at::Tensor queue_;
  moco::Checkpoint checkpoint_;
  std::unique_ptr<FeatureNetwork> network_;
  ImageColumnsOptions options_;
};

TEST_F(EnergiesTest, DisagreementIsOneLessTheMeanSimilarityOfPairs) {
  const std::vector<float> values = All()[0];
  ASSERT_EQ(values.size(), 6);
  for (int64_t i = 0; i < 6; ++i) {
    double sum = 0;
    for (const auto& [a, b] : {std::pair(0, 1), std::pair(0, 2), std::pair(1, 2)}) {
      sum += Dot(Vector(*encoders_[0], i, a), Vector(*encoders_[0], i, b));
    }
    EXPECT_NEAR(values[i], 1 - sum / 3, 1e-5) << "image " << i;
    EXPECT_GT(values[i], 1e-4) << "the views are alike";
  }
}

TEST_F(EnergiesTest, AlignmentIsTheMeanSquaredDistanceOfPairs) {
  options_.columns = {kAlignmentColumn};
  const std::vector<float> values = All()[0];
  ASSERT_EQ(values.size(), 6);
  for (int64_t i = 0; i < 6; ++i) {
    double sum = 0;
    for (const auto& [a, b] : {std::pair(0, 1), std::pair(0, 2), std::pair(1, 2)}) {
      const std::vector<double> x = Vector(*encoders_[0], i, a), y = Vector(*encoders_[0], i, b);
      for (int64_t c = 0; c < kDim; ++c) sum += (x[c] - y[c]) * (x[c] - y[c]);
    }
    EXPECT_NEAR(values[i], sum / 3, 1e-5) << "image " << i;
  }
}

TEST_F(EnergiesTest, EveryColumnHasAValueOfEachImage) {
  options_.columns = ImageColumns::Names();
  for (const std::vector<float>& values : All()) {
    ASSERT_EQ(values.size(), 6);
    for (const float value : values) EXPECT_TRUE(std::isfinite(value));
  }
}

TEST_F(EnergiesTest, LossIsTheCrossEntropyOfTheOwnKey) {
  const std::vector<float> values = All()[1];
  for (int64_t i = 0; i < 6; ++i) {
    const std::vector<double> q = Vector(*encoders_[0], i, 0), k = Vector(*encoders_[1], i, 1);
    const double own = std::exp(Dot(q, k) / kTemperature);
    double all = own;
    for (int64_t j = 0; j < kKeys; ++j) {
      double similarity = 0;
      for (int64_t c = 0; c < kDim; ++c) similarity += q[c] * queue_[c][j].item<double>();
      all += std::exp(similarity / kTemperature);
    }
    EXPECT_NEAR(values[i], -std::log(own / all), 1e-4) << "image " << i;
  }
}

TEST_F(EnergiesTest, NothingDependsOnBatchesThreadsOrOtherColumns) {
  const auto expected = All();
  const auto expect_near = [&](const std::vector<float>& values, const std::vector<float>& whole,
                               int64_t from) {
    ASSERT_EQ(values.size(), whole.size() - from);
    for (size_t i = 0; i < values.size(); ++i) {
      EXPECT_NEAR(values[i], whole[from + i], 1e-5) << "image " << from + i;
    }
  };
  for (const int threads : {0, 3}) {
    options_.loader_threads = threads;
    EXPECT_EQ(All(), expected) << threads << " threads";
  }
  options_.batch_size = 4;
  for (const int64_t step : {0, 1}) {
    const auto values = All(step);
    for (int c : {0, 1}) expect_near(values[c], expected[c], 4 * step);
  }
  options_.columns = {kMocoLossColumn};
  expect_near(All()[0], expected[1], 0);
  options_.columns = {kDisagreementColumn};
  expect_near(All()[0], expected[0], 0);
}

TEST_F(EnergiesTest, SeedAndFlagsDecide) {
  const auto before = All();
  options_.seed = 12;
  EXPECT_NE(All()[0], before[0]);
  options_.seed = kSeed;
  options_.loss = "info_nce:temperature=0.5";
  EXPECT_EQ(All()[0], before[0]);
  EXPECT_NE(All()[1], before[1]);
  EXPECT_EQ(Create().value()->loss(), "info_nce:temperature=0.5");
  options_.views = "center_crop:size=8|to_tensor";
  const auto alike = All();
  for (const float value : alike[0]) EXPECT_NEAR(value, 0, 1e-6) << "one view of an image";
}

TEST_F(EnergiesTest, SaysWhatTheCheckpointLacks) {
  checkpoint_.facts.settings.erase("loss");
  ExpectNotFound("give --loss=");
  options_.loss = "info_nce";
  checkpoint_.facts.settings.erase("views");
  ExpectNotFound("give --views");
  options_.views = kViews;
  EXPECT_TRUE(Create().ok());
  RemoveFromState("module.queue");
  ExpectNotFound("no queue, 'module.queue'");
  RemoveFromState("module.encoder_k.fc.");
  checkpoint_.facts.settings.erase("head");
  ExpectNotFound("no head below 'module.encoder_k.fc.'");
  RemoveFromState("module.encoder_k.");
  EXPECT_THAT(std::string(Create().status().message()), HasSubstr("'module.encoder_k.'"));
  RemoveFromState("module.encoder_q.fc.");
  ExpectNotFound("no head");
  // In the backbone's output then.
  options_.columns = {kDisagreementColumn};
  EXPECT_EQ(All()[0].size(), 6);
}

}  // namespace
}  // namespace lincls
