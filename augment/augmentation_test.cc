// Pipelines, and what each step draws.
#include "augment/augmentation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "augment/noise.h"
#include "augment/ops.h"
#include "augment/presets.h"

namespace augment {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

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

TEST(PipelineTest, ATraceShowsEachStepAndEndsWithTheView) {
  const auto pipeline = Pipeline::Create(V2Views(24, 0.2, "normalize"));
  ASSERT_TRUE(pipeline.ok()) << pipeline.status();
  const cv::Mat image = Noise(40, 50);
  base::Rng first = Stream(1), second = Stream(1);
  const cv::Mat view = (*pipeline)(image, first);
  const std::vector<cv::Mat> trace = pipeline->Trace(image, second);
  ASSERT_EQ(trace.size(), pipeline->steps().size());
  EXPECT_TRUE(Same(trace.back(), view));
  for (size_t i = 0; i < trace.size(); ++i) {
    EXPECT_EQ(trace[i].rows, 24) << i;
    EXPECT_EQ(trace[i].depth() == CV_32F, pipeline->steps()[i].output.tensor) << i;
  }
  // to_tensor's values stay as they were, although normalize works in place.
  double low, high;
  cv::minMaxLoc(trace[trace.size() - 2].reshape(1), &low, &high);
  EXPECT_GE(low, 0);
  EXPECT_LE(high, 1);
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
