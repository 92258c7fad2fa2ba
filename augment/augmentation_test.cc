// Pipelines, what each step draws, and the contract that every registered augmentation keeps.
#include "augment/augmentation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "augment/ops.h"
#include "augment/presets.h"

namespace augment {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

cv::Mat Noise(int rows, int cols, uint64_t seed = 1) {
  cv::Mat image(rows, cols, CV_8UC3);
  base::Rng rng(seed, base::Purpose::kTest);
  for (int y = 0; y < rows; ++y) {
    for (int x = 0; x < 3 * cols; ++x) image.ptr(y)[x] = rng.UniformInt(0, 255);
  }
  return image;
}

base::Rng Stream(uint64_t sample) { return base::Rng(7, base::Purpose::kTest, 0, sample); }

bool Same(const cv::Mat& a, const cv::Mat& b) {
  return a.size() == b.size() && a.type() == b.type() && cv::norm(a, b, cv::NORM_INF) == 0;
}

// --- Every registered augmentation ---

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

// --- Pipelines ---

TEST(PipelineDeathTest, ConstantsThatAreNotKnown) {
  EXPECT_DEATH(NormalizeSpec("imagnet"), "imagnet");
}

TEST(PipelineTest, PresetsGiveFloatImagesOfTheSize) {
  for (const std::string& spec :
       {V1Views(24, 0.2, "normalize"), V2Views(24, 0.2, "normalize"),
        CifarViews(24, 0.2, "normalize:mean=0.49 0.48 0.45,std=0.2 0.2 0.2"),
        EvaluationViews(24, "normalize"), EvaluationViews(224, "normalize"),
        LinearViews(24, "normalize")}) {
    const auto pipeline = Pipeline::Create(spec);
    ASSERT_TRUE(pipeline.ok()) << pipeline.status();
    EXPECT_TRUE(pipeline->output().tensor);
    EXPECT_GT(pipeline->output().rows, 0);
  }
  for (const std::string& spec : {V1Views(24, 0.2, "normalize:mean=0.5,std=0.5", false),
                                  V2Views(24, 0.2, "normalize:mean=0.5,std=0.5", false)}) {
    EXPECT_TRUE(Pipeline::Create(spec, 1).ok()) << spec;
  }
  EXPECT_THAT(EvaluationViews(96, "normalize", 128), HasSubstr("resize:size=128|center_crop:"));
  EXPECT_THAT(EvaluationViews(224, "normalize"), HasSubstr("resize:size=256|center_crop:size=224"));
}

TEST(PipelineTest, ErrorsNameTheStepAndTheRemedy) {
  const auto error = [](const std::string& specs, int channels) {
    return std::string(Pipeline::Create(specs, channels).status().message());
  };
  EXPECT_THAT(error("flip|normalize", 3),
              AllOf(HasSubstr("step 2"), HasSubstr("'normalize'"), HasSubstr("after to_tensor")));
  EXPECT_THAT(error("to_tensor|flip", 3),
              AllOf(HasSubstr("step 2"), HasSubstr("'flip'"), HasSubstr("before to_tensor")));
  EXPECT_THAT(std::string(Pipeline::Create("flipp").status().message()),
              HasSubstr("did you mean 'flip'?"));
  EXPECT_THAT(std::string(Pipeline::Create("flip:p=1.5").status().message()),
              HasSubstr("must be 0 to 1"));
  EXPECT_FALSE(Pipeline::Create("random_resized_crop:scale_min=0.9,scale_max=0.1").ok());
  EXPECT_FALSE(Pipeline::Create("gaussian_blur:radius_min=3").ok());
  EXPECT_THAT(error("flip|grayscale", 1),
              AllOf(HasSubstr("step 2"), HasSubstr("'grayscale'"), HasSubstr("leave it out")));
  EXPECT_THAT(error("to_tensor|normalize", 1),
              AllOf(HasSubstr("step 2"), HasSubstr("'normalize'"), HasSubstr("//tools:doctor")));
  for (const char* mean : {"", "x", "0.1 0.2 nan", "1.1", "-0.1"}) {
    EXPECT_THAT(error(absl::StrCat("to_tensor|normalize:mean=", mean), 3),
                AllOf(HasSubstr("normalize: mean"), HasSubstr(absl::StrCat("'", mean, "'"))));
  }
  EXPECT_FALSE(Pipeline::Create("to_tensor|normalize:std=0 0.1 0.1").ok());
}

TEST(PipelineTest, TensorsAreNormalised) {
  const Pipeline pipeline =
      Pipeline::Create("to_tensor|normalize:mean=0.5 0 0.406,std=0.25 1 0.225").value();
  const cv::Mat pixel(1, 1, CV_8UC3, cv::Scalar(255, 51, 0));
  base::Rng rng = Stream(0);
  const cv::Vec3f v = pipeline(pixel, rng).at<cv::Vec3f>(0, 0);
  EXPECT_FLOAT_EQ(v[0], 2);
  EXPECT_FLOAT_EQ(v[1], 0.2);
  EXPECT_FLOAT_EQ(v[2], -0.406 / 0.225);
}

// --- What is done ---

// The crop's area and centre, seen through an image whose pixels are their own coordinates.
TEST(RandomTest, CropsCoverTheAskedShareOfTheArea) {
  cv::Mat image(200, 200, CV_8UC3);
  for (int y = 0; y < 200; ++y) {
    for (int x = 0; x < 200; ++x) image.at<cv::Vec3b>(y, x) = cv::Vec3b(x, y, 0);
  }
  const Pipeline pipeline = Pipeline::Create("random_resized_crop:size=40,scale_min=0.2").value();
  double mean_area = 0, mean_x = 0;
  constexpr int kDraws = 1000;
  for (int i = 0; i < kDraws; ++i) {
    base::Rng rng = Stream(i);
    const cv::Mat crop = pipeline(image, rng);
    const double width = (crop.at<cv::Vec3b>(20, 39)[0] - crop.at<cv::Vec3b>(20, 0)[0]) / 39.0 * 40;
    const double height =
        (crop.at<cv::Vec3b>(39, 20)[1] - crop.at<cv::Vec3b>(0, 20)[1]) / 39.0 * 40;
    const double share = width * height / (200.0 * 200.0);
    EXPECT_GT(share, 0.17);
    EXPECT_LT(share, 1.06);
    mean_area += share / kDraws;
    mean_x += crop.at<cv::Vec3b>(20, 20)[0] / static_cast<double>(kDraws);
  }
  // Shares near 1 are drawn again when their shape does not fit, so that the mean is below 0.6.
  EXPECT_NEAR(mean_area, 0.57, 0.03);
  EXPECT_NEAR(mean_x, 100, 4);
}

TEST(RandomTest, ChannelsAreDroppedButNeverAll) {
  const cv::Mat image(2, 2, CV_8UC4, cv::Scalar::all(200));
  const Pipeline pipeline = Pipeline::Create("channel_drop:p=0.5", 4).value();
  const Pipeline all = Pipeline::Create("channel_drop:p=1", 4).value();
  int dropped = 0;
  constexpr int kDraws = 1000;
  for (int i = 0; i < kDraws; ++i) {
    base::Rng rng = Stream(i);
    const cv::Vec4b pixel = pipeline(image, rng).at<cv::Vec4b>(1, 1);
    for (int c = 0; c < 4; ++c) {
      EXPECT_TRUE(pixel[c] == 0 || pixel[c] == 200);
      dropped += pixel[c] == 0;
    }
    const cv::Vec4b one = all(image, rng).at<cv::Vec4b>(1, 1);
    EXPECT_EQ(one[0] + one[1] + one[2] + one[3], 200);
  }
  // One of four stays, and each of the others goes in half of the draws.
  EXPECT_NEAR(dropped / (4.0 * kDraws), 0.375, 0.02);
}

TEST(RandomTest, IntensitiesChangeByChannel) {
  const cv::Mat image(1, 1, CV_32FC2, cv::Scalar(0.5, 0.5));
  const Pipeline pipeline = Pipeline::Create("intensity:p=1,gain=0.2,offset=0.1", 2).value();
  double least = 1, most = 0, apart = 0;
  for (int i = 0; i < 1000; ++i) {
    base::Rng rng = Stream(i);
    const cv::Vec2f pixel = pipeline(image, rng).at<cv::Vec2f>(0, 0);
    least = std::min<double>(least, pixel[0]);
    most = std::max<double>(most, pixel[0]);
    apart += std::abs(pixel[0] - pixel[1]) / 1000;
  }
  EXPECT_NEAR(least, 0.5 * 0.8 - 0.1, 0.02);
  EXPECT_NEAR(most, 0.5 * 1.2 + 0.1, 0.02);
  EXPECT_GT(apart, 0.05);
}

TEST(RandomTest, QuarterTurnsAreEquallyLikely) {
  const cv::Mat image = Noise(4, 4);
  const Pipeline pipeline = Pipeline::Create("rotate90").value();
  std::vector<int> counts(4);
  for (int i = 0; i < 4000; ++i) {
    base::Rng rng = Stream(i);
    const cv::Mat turned = pipeline(image, rng);
    for (int turns = 0; turns < 4; ++turns) counts[turns] += Same(turned, Rotate90(image, turns));
  }
  for (const int count : counts) EXPECT_NEAR(count, 1000, 100);
}

TEST(RandomTest, ResizeAndCenterCropAsTorchvision) {
  base::Rng rng = Stream(0);
  const auto size = [&](const std::string& spec, int rows, int cols) {
    return Pipeline::Create(spec).value()(Noise(rows, cols), rng).size();
  };
  EXPECT_EQ(size("resize:size=8", 10, 21), cv::Size(16, 8));
  EXPECT_EQ(size("resize:size=8", 21, 10), cv::Size(8, 16));
  EXPECT_EQ(size("center_crop:size=6", 4, 9), cv::Size(6, 6));
  // (9 - 6) / 2 = 1.5 goes to 2, (7 - 6) / 2 = 0.5 to 0.
  const cv::Mat image = Noise(7, 9);
  EXPECT_TRUE(Same(Pipeline::Create("center_crop:size=6").value()(image, rng),
                   image(cv::Rect(2, 0, 6, 6))));
}

}  // namespace
}  // namespace augment
