// What every registered augmentation keeps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "augment/augmentation.h"
#include "augment/noise.h"
#include "augment/ops.h"

namespace augment {
namespace {

using ::testing::HasSubstr;

class AugmentationContract : public testing::TestWithParam<std::string> {
 protected:
  // The plugin behind whatever it needs in front.
  static Pipeline Make() {
    auto alone = Pipeline::Create(GetParam());
    if (alone.ok()) return *std::move(alone);
    return Pipeline::Create(absl::StrCat("to_tensor|", GetParam())).value();
  }
};

TEST_P(AugmentationContract, IsAFunctionOfImageAndStreamAndLeavesTheImageAlone) {
  const Pipeline pipeline = Make();
  for (const cv::Size size :
       {cv::Size(32, 32), cv::Size(41, 23), cv::Size(1, 1), cv::Size(3, 200)}) {
    const cv::Mat image = Noise(size.height, size.width), before = image.clone();
    for (uint64_t sample = 0; sample < 5; ++sample) {
      base::Rng first = Stream(sample), second = Stream(sample);
      const cv::Mat one = pipeline(image, first), two = pipeline(image, second);
      EXPECT_TRUE(Same(one, two));
      EXPECT_TRUE(Same(image, before)) << "the input was written to";
      EXPECT_EQ(one.type(), pipeline.output().tensor ? CV_32FC3 : CV_8UC3);
      if (pipeline.output().rows > 0) {
        EXPECT_EQ(one.rows, pipeline.output().rows);
        EXPECT_EQ(one.cols, pipeline.output().cols);
      }
    }
  }
}

// Float images in [0, 1] become what those of 8 bits become, but for rounding and the shape of the
// blur, and stay in the range; the input is left alone.
TEST_P(AugmentationContract, FloatImagesAreTreatedAsThoseOfEightBits) {
  // Its defaults change nothing.
  const Pipeline pipeline =
      GetParam() == "color_jitter"
          ? Pipeline::Create("color_jitter:brightness=0.4,contrast=0.4,saturation=0.4,hue=0.3")
                .value()
          : Make();
  const cv::Mat noise = Noise(41, 23);
  cv::Mat image;
  cv::blur(noise, image, {3, 3});
  cv::Mat floats;
  image.convertTo(floats, CV_32F, 1.0 / 255);
  const cv::Mat before = floats.clone();
  for (uint64_t sample = 0; sample < 20; ++sample) {
    base::Rng first = Stream(sample), second = Stream(sample);
    const cv::Mat of_floats = pipeline(floats, first), of_bytes = pipeline(image, second);
    EXPECT_TRUE(Same(floats, before)) << "the input was written to";
    ASSERT_EQ(of_floats.type(), CV_32FC3);
    ASSERT_EQ(of_floats.size(), of_bytes.size());
    cv::Mat expected;
    of_bytes.convertTo(expected, CV_32F, of_bytes.depth() == CV_8U ? 1.0 / 255 : 1);
    const double values = 3.0 * static_cast<double>(expected.total());
    EXPECT_LT(cv::norm(of_floats, expected, cv::NORM_L1) / values, 0.008) << sample;
    if (GetParam() == "normalize") continue;
    double low, high;
    cv::minMaxLoc(of_floats.reshape(1), &low, &high);
    EXPECT_GE(low, 0);
    EXPECT_LE(high, 1);
  }
}

// Steps on colours refuse other numbers of channels, saying so; all others take up to 64.
TEST_P(AugmentationContract, ManyChannels) {
  const bool tensor = GetParam() == "normalize";
  const auto pipeline =
      Pipeline::Create(tensor ? "to_tensor|normalize:mean=0.3,std=0.6" : GetParam(), 64);
  if (!pipeline.ok()) {
    EXPECT_THAT(std::string(pipeline.status().message()), HasSubstr("3 channels"));
    return;
  }
  cv::Mat image(30, 40, CV_32FC(64));
  base::Rng noise(1, base::Purpose::kTest);
  for (int i = 0; i < 30 * 40 * 64; ++i) image.ptr<float>(0)[i] = noise.Uniform(0, 1);
  const cv::Mat before = image.clone();
  for (uint64_t sample = 0; sample < 10; ++sample) {
    base::Rng first = Stream(sample), second = Stream(sample);
    const cv::Mat one = (*pipeline)(image, first), two = (*pipeline)(image, second);
    EXPECT_EQ(one.type(), CV_32FC(64));
    EXPECT_EQ(cv::norm(one.reshape(1), two.reshape(1), cv::NORM_INF), 0);
    EXPECT_EQ(cv::norm(image.reshape(1), before.reshape(1), cv::NORM_INF), 0);
  }
}

// Images of other than three channels are refused, saying so, or their channels are treated alike:
// each as it would be alone, except by steps that draw something for each channel.
TEST_P(AugmentationContract, OtherNumbersOfChannels) {
  if (GetParam() == "channel_drop" || GetParam() == "intensity") return;
  const std::string spec = !Make().output().tensor || GetParam() == "to_tensor"
                               ? GetParam()
                               : absl::StrCat("to_tensor|", GetParam(), ":mean=0.3,std=0.6");
  for (const int channels : {1, 2, 4}) {
    const auto pipeline = Pipeline::Create(spec, channels);
    if (!pipeline.ok()) {
      EXPECT_THAT(
          std::string(pipeline.status().message()),
          HasSubstr(absl::StrCat("3 channels, but they have ", channels, "; leave it out")));
      continue;
    }
    EXPECT_EQ(pipeline->output().channels, channels);
    const cv::Mat colour = Noise(23, 31);
    std::vector<cv::Mat> planes;
    cv::split(colour, planes);
    planes.push_back(planes[1]);
    planes.resize(channels);
    cv::Mat image;
    cv::merge(planes, image);
    for (uint64_t sample = 0; sample < 5; ++sample) {
      base::Rng rng = Stream(sample);
      std::vector<cv::Mat> results;
      cv::split((*pipeline)(image, rng), results);
      ASSERT_EQ(results.size(), static_cast<size_t>(channels));
      for (int c = 0; c < channels; ++c) {
        base::Rng again = Stream(sample);
        EXPECT_TRUE(Same(results[c], Pipeline::Create(spec, 1).value()(planes[c], again)));
      }
    }
  }
}

// A loader hands out the image, and the network gets floats that are made of it later.
TEST_P(AugmentationContract, TheImageAndItsNormalizationsAreTheWhole) {
  const Pipeline pipeline = Make();
  const cv::Mat bytes = Noise(23, 31);
  cv::Mat floats;
  bytes.convertTo(floats, CV_32F, 1.0 / 255);
  for (const cv::Mat& image : {bytes, floats}) {
    base::Rng first = Stream(3), second = Stream(3);
    const cv::Mat whole = pipeline(image, first), before = pipeline.Image(image, second);
    if (!pipeline.output().tensor) {
      EXPECT_TRUE(Same(before, whole));
      continue;
    }
    cv::Mat later(before.rows, before.cols, CV_32FC(before.channels()));
    WriteFloats(before, pipeline.normalizations(), later.ptr<float>());
    EXPECT_TRUE(Same(later, whole));
  }
}

TEST_P(AugmentationContract, CanonicalSpecMakesTheSameAugmentation) {
  const Pipeline pipeline = Make();
  const Pipeline again = Pipeline::Create(pipeline.spec()).value();
  EXPECT_EQ(again.spec(), pipeline.spec());
  const cv::Mat image = Noise(20, 20);
  base::Rng first = Stream(3), second = Stream(3);
  EXPECT_TRUE(Same(pipeline(image, first), again(image, second)));
}

INSTANTIATE_TEST_SUITE_P(All, AugmentationContract, testing::ValuesIn(Augmentations().Names()),
                         [](const auto& info) { return info.param; });

TEST(AugmentationContractTest, IsOfSomething) { EXPECT_FALSE(Augmentations().Names().empty()); }

}  // namespace
}  // namespace augment
