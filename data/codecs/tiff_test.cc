// TIFF files as GDAL writes them. (Their other kinds are samples of decode_test, and compared with
// Pillow and with the packages that write them in tests/parity.)
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tiffio.h>

#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "base/files.h"
#include "data/codec.h"
#include "data/decode.h"
#include "data/test_images.h"

namespace data {
namespace {

using ::testing::HasSubstr;

constexpr int kTile = 16;

// Tells libtiff of GDAL's tag.
void AddGdalTags(TIFF* tiff) {
  static const TIFFFieldInfo kFields[] = {
      {42113, -1, -1, TIFF_ASCII, FIELD_CUSTOM, 1, 0, const_cast<char*>("GDALNoDataValue")}};
  TIFFMergeFieldInfo(tiff, kFields, 1);
}

// 32 x 16 pixels in two tiles, of which only the first is in the file.
std::string HalfAFile(int bits, int format, const char* nodata) {
  const std::string path = TestFolder("tiff") + "/x.tif";
  TIFF* tiff = TIFFOpen(path.c_str(), "w");
  AddGdalTags(tiff);
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, 2 * kTile);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, kTile);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, bits);
  TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, format);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
  TIFFSetField(tiff, TIFFTAG_TILEWIDTH, kTile);
  TIFFSetField(tiff, TIFFTAG_TILELENGTH, kTile);
  if (nodata != nullptr) TIFFSetField(tiff, 42113, nodata);
  std::string tile(kTile * kTile * bits / 8, '\1');
  EXPECT_GT(TIFFWriteEncodedTile(tiff, 0, tile.data(), static_cast<tmsize_t>(tile.size())), 0);
  TIFFClose(tiff);
  return base::ReadFile(path).value();
}

// The values of the tile that is there, and of the one that is not.
std::pair<float, float> Values(const std::string& file) {
  const auto image = DecodeImage(file, {.channels = 1, .raw = true});
  EXPECT_TRUE(image.ok()) << image.status();
  if (!image.ok()) return {};
  cv::Mat values;
  image->convertTo(values, CV_32F);
  return {values.at<float>(3, 3), values.at<float>(3, kTile + 3)};
}

TEST(TiffTest, TilesThatAreAbsentHaveNoData) {
  EXPECT_EQ(Values(HalfAFile(8, SAMPLEFORMAT_UINT, nullptr)), std::pair(1.0f, 0.0f));
  EXPECT_EQ(Values(HalfAFile(8, SAMPLEFORMAT_UINT, "255")), std::pair(1.0f, 255.0f));
  EXPECT_EQ(Values(HalfAFile(16, SAMPLEFORMAT_UINT, "65535")), std::pair(257.0f, 65535.0f));
  EXPECT_EQ(Values(HalfAFile(16, SAMPLEFORMAT_INT, "-9999 ")), std::pair(257.0f, -9999.0f));
  EXPECT_EQ(Values(HalfAFile(32, SAMPLEFORMAT_IEEEFP, "-3.5")).second, -3.5f);
}

// As rasterio reads them; Pillow shows them as if they had no sign.
TEST(TiffTest, BytesWithASignKeepIt) {
  const std::string file = HalfAFile(8, SAMPLEFORMAT_INT, "-7");
  EXPECT_EQ(Values(file), std::pair(1.0f, -7.0f));
  EXPECT_THAT(std::string(DecodeImage(file, {.channels = 1}).status().message()),
              HasSubstr("--range"));
}

// ImageJ writes stacks of more than 4 GB with a directory for the first image alone.
TEST(TiffTest, StacksOfImagejAreNotCutInSilence) {
  const std::string path = TestFolder("tiff") + "/x.tif";
  for (const auto& [text, pages] : {std::pair("ImageJ=1.53t\nimages=3\nslices=3\n", 3),
                                    {"ImageJ=1.53t\nimages=1\n", 1},
                                    {"images=3\n", 1},
                                    {"ImageJ=1.53t\nimages=x\n", 1}}) {
    TIFF* tiff = TIFFOpen(path.c_str(), "w");
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, 2);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, 1);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 8);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
    TIFFSetField(tiff, TIFFTAG_IMAGEDESCRIPTION, text);
    char row[] = "ab";
    EXPECT_EQ(TIFFWriteScanline(tiff, row, 0, 0), 1);
    TIFFClose(tiff);
    const std::string bytes = base::ReadFile(path).value();
    EXPECT_EQ(FindCodec(bytes)->Open(bytes).value()->pages(), pages) << text;
    EXPECT_TRUE(DecodeImage(bytes).ok());
    const absl::Status second = DecodeImage(bytes, {.page = 1}).status();
    EXPECT_EQ(second.code(), absl::StatusCode::kDataLoss);
    EXPECT_EQ(absl::StrContains(second.message(), "tifffile.imwrite"), pages == 3) << second;
  }
}

}  // namespace
}  // namespace data
