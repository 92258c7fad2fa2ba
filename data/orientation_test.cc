#include "data/orientation.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <opencv2/core.hpp>
#include <string>

#include "data/test_images.h"

namespace data {
namespace {

// Exif metadata with two entries, the second of which is the orientation.
std::string Exif(bool little_endian, int orientation) {
  const std::string big(
      "MM\0*\0\0\0\10\0\2"
      "\1\0\0\3\0\0\0\1\0\7\0\0"
      "\1\22\0\3\0\0\0\1\0\0\0\0\0\0\0\0",
      38);
  const std::string little(
      "II*\0\10\0\0\0\2\0"
      "\0\1\3\0\1\0\0\0\7\0\0\0"
      "\22\1\3\0\1\0\0\0\0\0\0\0\0\0\0\0",
      38);
  std::string exif = little_endian ? little : big;
  exif[little_endian ? 30 : 31] = static_cast<char>(orientation);
  return exif;
}

TEST(OrientationTest, OfExif) {
  for (const bool little_endian : {false, true}) {
    for (int orientation = 1; orientation <= 8; ++orientation) {
      const std::string exif = Exif(little_endian, orientation);
      const std::string prefix("Exif\0\0", 6);
      EXPECT_EQ(OrientationOfExif(exif), orientation);
      EXPECT_EQ(OrientationOfExif(prefix + exif), orientation);
    }
  }
  EXPECT_EQ(OrientationOfExif(""), std::nullopt);
  EXPECT_EQ(OrientationOfExif("nonsense, and more of it"), std::nullopt);
}

// Whatever the metadata hold, nothing outside of them is read.
TEST(OrientationTest, OfDamagedExif) {
  const std::string exif = Exif(true, 6);
  for (size_t size = 0; size < exif.size(); ++size) {
    const std::string cut = exif.substr(0, size);
    EXPECT_EQ(OrientationOfExif(cut).value_or(6), 6) << size;
  }
  for (size_t at = 0; at < exif.size(); ++at) {
    for (const int byte : {0, 1, 127, 255}) {
      std::string changed = exif;
      changed[at] = static_cast<char>(byte);
      (void)OrientationOfExif(changed);
    }
  }
}

TEST(OrientationTest, OfXmp) {
  EXPECT_EQ(OrientationOfXmp("<a tiff:Orientation=\"3\"/>"), 3);
  EXPECT_EQ(OrientationOfXmp("<tiff:Orientation>8</tiff:Orientation>"), 8);
  EXPECT_EQ(OrientationOfXmp("tiff:Orientation tiff:Orientation=\"x tiff:Orientation=\""),
            std::nullopt);
}

// By the definition of the tag: which corner of the upright picture the first pixel is, and which
// way the first row runs.
TEST(OrientationTest, TurnedPixels) {
  const cv::Mat stored = (cv::Mat_<uint8_t>(2, 3) << 1, 2, 3, 4, 5, 6);
  const std::map<int, cv::Mat> upright = {{0, stored},
                                          {1, stored},
                                          {2, (cv::Mat_<uint8_t>(2, 3) << 3, 2, 1, 6, 5, 4)},
                                          {3, (cv::Mat_<uint8_t>(2, 3) << 6, 5, 4, 3, 2, 1)},
                                          {4, (cv::Mat_<uint8_t>(2, 3) << 4, 5, 6, 1, 2, 3)},
                                          {5, (cv::Mat_<uint8_t>(3, 2) << 1, 4, 2, 5, 3, 6)},
                                          {6, (cv::Mat_<uint8_t>(3, 2) << 4, 1, 5, 2, 6, 3)},
                                          {7, (cv::Mat_<uint8_t>(3, 2) << 6, 3, 5, 2, 4, 1)},
                                          {8, (cv::Mat_<uint8_t>(3, 2) << 3, 6, 2, 5, 1, 4)},
                                          {9, stored}};
  for (const auto& [orientation, expected] : upright) {
    EXPECT_TRUE(SameImage(Turned(stored, orientation), expected)) << orientation;
  }
}

}  // namespace
}  // namespace data
