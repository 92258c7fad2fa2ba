#include "data/encode.h"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>
#include <string>

#include "data/decode.h"
#include "data/test_images.h"

namespace data {
namespace {

// Slopes in every channel, each another: nothing that JPEG has to leave out.
cv::Mat Smooth(int channels) {
  cv::Mat image(40, 60, CV_8UC(channels));
  for (int y = 0; y < image.rows; ++y) {
    for (int x = 0; x < image.cols; ++x) {
      for (int c = 0; c < channels; ++c) image.ptr(y, x)[c] = c == 0 ? 4 * x : c == 1 ? 5 * y : 30;
    }
  }
  return image;
}

TEST(EncodeTest, PngGivesEveryPixelBack) {
  for (const int channels : {1, 3}) {
    const cv::Mat image = ToChannels(TestImage(1, 7, 13), channels);
    const auto decoded = DecodeImage(EncodePng(image), {.channels = channels});
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_TRUE(SameImage(*decoded, image)) << channels;
  }
}

TEST(EncodeTest, PartsOfImagesAreTheirOwnRows) {
  const cv::Mat part = TestImage(2, 20, 20)(cv::Rect(3, 4, 11, 9));
  EXPECT_TRUE(SameImage(*DecodeImage(EncodePng(part)), part));
  const cv::Mat smooth = Smooth(3)(cv::Rect(8, 8, 16, 24));
  EXPECT_LT(cv::norm(*DecodeImage(EncodeJpeg(smooth, 95)), smooth, cv::NORM_INF), 12);
}

TEST(EncodeTest, JpegIsNear) {
  for (const int channels : {1, 3}) {
    const cv::Mat image = Smooth(channels);
    const auto decoded = DecodeImage(EncodeJpeg(image, 95), {.channels = channels});
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    ASSERT_EQ(decoded->type(), image.type());
    EXPECT_LT(cv::norm(*decoded, image, cv::NORM_INF), 12) << channels;
  }
  EXPECT_LT(EncodeJpeg(TestImage(3, 64, 64), 30).size(),
            EncodeJpeg(TestImage(3, 64, 64), 90).size());
}

TEST(EncodeTest, OtherPicturesAreRefused) {
  EXPECT_DEATH(EncodePng(cv::Mat(2, 2, CV_8UC4)), "8 bits");
  EXPECT_DEATH(EncodeJpeg(cv::Mat(2, 2, CV_32FC1), 90), "8 bits");
  EXPECT_DEATH(EncodePng(cv::Mat()), "");
}

}  // namespace
}  // namespace data
