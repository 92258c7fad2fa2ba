// That views reach the network with the bits of the whole pipeline, however they travel.
#include "moco/training/images.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <opencv2/core.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/rng.h"

namespace moco {
namespace {

constexpr int kImages = 6;
constexpr uint64_t kSeed = 5;

// Noise of 8 bits; the images whose numbers are in `wide` are floats.
class Noise : public data::Dataset {
 public:
  Noise(int channels, std::vector<int64_t> wide) : channels_(channels), wide_(std::move(wide)) {}
  int64_t size() const override { return kImages; }
  absl::StatusOr<cv::Mat> Image(int64_t index) const override {
    const bool is_wide = std::find(wide_.begin(), wide_.end(), index) != wide_.end();
    cv::Mat image(12, 14, CV_MAKETYPE(is_wide ? CV_32F : CV_8U, channels_));
    base::Rng rng(1, base::Purpose::kTest, index);
    for (int y = 0; y < image.rows; ++y) {
      for (int x = 0; x < image.cols * channels_; ++x) {
        if (is_wide) {
          image.ptr<float>(y)[x] = static_cast<float>(rng.Uniform());
        } else {
          image.ptr(y)[x] = static_cast<uint8_t>(rng.UniformInt(0, 255));
        }
      }
    }
    return image;
  }
  std::string Name(int64_t index) const override { return absl::StrCat(index); }
  int Label(int64_t) const override { return -1; }
  const std::vector<std::string>& classes() const override { return classes_; }

 private:
  const int channels_;
  const std::vector<int64_t> wide_;
  const std::vector<std::string> classes_ = {};
};

struct Case {
  std::string views;
  int channels;
  std::vector<int64_t> wide;
  int type;  // of the batch
};

class ViewsTest : public testing::TestWithParam<Case> {};

TEST_P(ViewsTest, HaveTheBitsOfTheWholePipeline) {
  const auto& [views, channels, wide, type] = GetParam();
  const Noise noise(channels, wide);
  const auto pipeline = augment::Pipeline::Create(views, channels).value();
  data::LoaderOptions options = LoaderOf(pipeline, 2).value();
  options.batch_size = kImages;
  options.shuffle = false;
  options.seed = kSeed;
  options.threads = 2;
  options.last_step = 1;
  const auto loader = data::Loader::Create(noise, options).value();
  const data::Batch& batch = **loader->Next();
  for (size_t v = 0; v < 2; ++v) {
    EXPECT_EQ(batch.views[v].type(), type);
    const at::Tensor tensor = ViewTensor(batch, v, pipeline);
    ASSERT_EQ(tensor.sizes(), at::IntArrayRef({kImages, channels, 7, 7}));
    EXPECT_TRUE(tensor.permute({0, 2, 3, 1}).is_contiguous());
    for (int i = 0; i < kImages; ++i) {
      base::Rng rng(kSeed, base::Purpose::kView, 0, i, v);
      const cv::Mat expected = pipeline(noise.Image(i).value(), rng);
      const float* const values = tensor.const_data_ptr<float>() + i * 7 * 7 * channels;
      for (int j = 0; j < 7 * 7 * channels; ++j) {
        ASSERT_EQ(values[j], expected.ptr<float>()[j]) << "view " << v << ", image " << i;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, ViewsTest,
    testing::Values(
        Case{"random_resized_crop:size=7|flip|to_tensor|normalize", 3, {}, CV_8UC3},
        Case{"random_resized_crop:size=7|flip|to_tensor|normalize", 3, {0, 4}, CV_32FC3},
        Case{"random_resized_crop:size=7|to_tensor|normalize", 3, {0, 1, 2, 3, 4, 5}, CV_32FC3},
        Case{"center_crop:size=7|to_tensor", 1, {}, CV_8UC1},
        Case{"center_crop:size=7|to_tensor|normalize:mean=0.1 0.2,std=0.3|normalize:mean=0,std=0.7",
             2,
             {},
             CV_8UC(2)},
        Case{"random_resized_crop:size=7|vertical_flip|to_tensor|normalize:mean=0.4,std=0.2",
             5,
             {3},
             CV_32FC(5)}));

}  // namespace
}  // namespace moco
