// The decoder against Pillow's own results, and against files that are damaged in every way.
#include "data/decode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/rng.h"
#include "data/test_images.h"

namespace data {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Sample(const std::string& name) {
  return base::ReadFile("data/testdata/samples/" + name).value();
}

struct Golden {
  std::string name;
  std::string bytes;
  cv::Mat seen;  // by Pillow
};

// testdata/decode_golden.txt; see make_decode_golden.py.
const std::vector<Golden>& AllGolden() {
  static const auto& all = *[] {
    auto* read = new std::vector<Golden>;
    std::ifstream file("data/testdata/decode_golden.txt");
    file.ignore(1000, '\n');  // the versions that made it
    std::string name, hex;
    for (int cols, rows; file >> name >> cols >> rows >> hex;) {
      std::string rgb = absl::HexStringToBytes(hex);
      EXPECT_EQ(rgb.size(), 3u * rows * cols);
      read->push_back({name, Sample(name), cv::Mat(rows, cols, CV_8UC3, rgb.data()).clone()});
    }
    return read;
  }();
  return all;
}

// One line that says what is wrong.
void ExpectRefused(const std::string& bytes, const std::string& what) {
  const auto image = DecodeImage(bytes);
  ASSERT_FALSE(image.ok()) << what;
  EXPECT_EQ(image.status().code(), absl::StatusCode::kDataLoss) << what;
  EXPECT_FALSE(absl::StrContains(image.status().message(), "\n")) << image.status();
}

// Whether good images decode as ever, after bad ones.
bool GoodImagesDecode() {
  static const cv::Mat jpeg = DecodeImage(Sample("rgb_420.jpg")).value();
  static const cv::Mat png = DecodeImage(Sample("rgb_8.png")).value();
  static const std::string jpeg_bytes = Sample("rgb_420.jpg"), png_bytes = Sample("rgb_8.png");
  const auto jpeg_again = DecodeImage(jpeg_bytes), png_again = DecodeImage(png_bytes);
  return jpeg_again.ok() && SameImage(*jpeg_again, jpeg) && png_again.ok() &&
         SameImage(*png_again, png);
}

TEST(DecodeTest, EqualToPillow) {
  ASSERT_EQ(AllGolden().size(), 51u);
  for (const Golden& golden : AllGolden()) {
    const auto image = DecodeImage(golden.bytes);
    ASSERT_TRUE(image.ok()) << golden.name << " " << image.status();
    ASSERT_EQ(image->size(), golden.seen.size()) << golden.name;
    ASSERT_EQ(image->type(), CV_8UC3);
    EXPECT_EQ(cv::norm(*image, golden.seen, cv::NORM_INF), 0) << golden.name;
  }
}

// A tag that asks for a turned picture changes nothing: the reference does not see it either.
TEST(DecodeTest, OrientationIsNotApplied) {
  EXPECT_THAT(Sample("turned.jpg"), HasSubstr("Exif"));
  EXPECT_TRUE(SameImage(DecodeImage(Sample("turned.jpg")).value(),
                        DecodeImage(Sample("rgb_420.jpg")).value()));
}

TEST(DecodeTest, EveryCutIsRefusedAndSpoilsNothing) {
  for (const Golden& golden : AllGolden()) {
    for (size_t size = 0; size < golden.bytes.size(); ++size) {
      const auto image = DecodeImage(golden.bytes.substr(0, size));
      ASSERT_FALSE(image.ok()) << golden.name << size;
      ASSERT_EQ(image.status().code(), absl::StatusCode::kDataLoss) << golden.name << size;
      ASSERT_TRUE(GoodImagesDecode()) << golden.name << size;
    }
  }
}

TEST(DecodeTest, FlippedBitsDoNoHarm) {
  base::Rng rng(1, base::Purpose::kTest);
  int refused = 0;
  for (const Golden& golden : AllGolden()) {
    for (int trial = 0; trial < 100; ++trial) {
      std::string bytes = golden.bytes;
      for (int flips = rng.UniformInt(1, 4); flips > 0; --flips) {
        bytes[rng.UniformInt(0, bytes.size() - 1)] ^= 1 << rng.UniformInt(0, 7);
      }
      refused += !DecodeImage(bytes).ok();  // a JPEG has no checksum that would tell
    }
    ASSERT_TRUE(GoodImagesDecode()) << golden.name;
  }
  EXPECT_GT(refused, 2000);
}

TEST(DecodeTest, PngChecksumsAreChecked) {
  std::string bytes = Sample("rgb_8.png");
  // The checksum of the pixels stands in front of the 12 bytes of the end mark.
  bytes[bytes.size() - 13] ^= 1;
  ExpectRefused(bytes, "checksum");
  EXPECT_THAT(std::string(DecodeImage(bytes).status().message()),
              StartsWith("is cut or damaged: IDAT: CRC error"));
}

TEST(DecodeTest, WhatIsNoImageIsRefusedByContent) {
  EXPECT_EQ(DecodeImage("").status().message(), "is empty");
  for (const std::string& bytes : {std::string("<svg>"), std::string("<html>"),
                                   std::string(1000, '\0'), std::string("\xFF")}) {
    ExpectRefused(bytes, bytes);
    EXPECT_EQ(DecodeImage(bytes).status().message(), "is neither a JPEG nor a PNG image");
  }
}

TEST(DecodeTest, OtherFormatsAreNamed) {
  EXPECT_EQ(DecodeImage("GIF89a").status().message(),
            "seems to be a GIF image, which is not read; convert it to PNG");
  EXPECT_THAT(std::string(DecodeImage("RIFF....WEBP").status().message()), HasSubstr("WebP"));
}

// What a header asks for is refused before it is allocated.
TEST(DecodeTest, GiganticImagesAreRefused) {
  std::string jpeg = Sample("rgb_420.jpg");
  const size_t frame = jpeg.find("\xFF\xC0");  // then length, precision, height, width
  ASSERT_NE(frame, std::string::npos);
  jpeg.replace(frame + 5, 4, "\xFF\xDC\xFF\xDC");
  ExpectRefused(jpeg, "jpeg");
  EXPECT_EQ(DecodeImage(jpeg).status().message(),
            "is 65500 x 65500 pixels, more than 100 million; make it smaller");

  // 90,000 x 90,000 of 8-bit RGB, and no pixels.
  const std::string png = absl::HexStringToBytes(
      "89504e470d0a1a0a0000000d4948445200015f9000015f90080200000001f089a2"
      "000000004944415435af061e");
  ExpectRefused(png, "png");
  EXPECT_THAT(std::string(DecodeImage(png).status().message()), StartsWith("is 90000 x 90000"));
}

}  // namespace
}  // namespace data
