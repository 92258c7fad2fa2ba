// --pages, on stacks as microscopes write them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tiffio.h>

#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "data/codec.h"
#include "data/dataset.h"
#include "data/decode.h"
#include "data/test_images.h"

namespace data {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Writes each image, CV_8U or CV_16U, as a page. `kinds`: what each page is (NewSubfileType);
// empty: images.
void WriteStack(const std::string& path, const std::vector<cv::Mat>& pages,
                std::vector<int> kinds = {}) {
  WriteTestFile(path, "");  // makes the folders
  TIFF* tiff = TIFFOpen(path.c_str(), "w");
  ASSERT_NE(tiff, nullptr);
  kinds.resize(pages.size());
  for (size_t i = 0; i < pages.size(); ++i) {
    const cv::Mat& page = pages[i];
    if (kinds[i] != 0) TIFFSetField(tiff, TIFFTAG_SUBFILETYPE, kinds[i]);
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, page.cols);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, page.rows);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, static_cast<int>(8 * page.elemSize1()));
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, page.channels());
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC,
                 page.channels() == 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK);
    for (int y = 0; y < page.rows; ++y) {
      ASSERT_EQ(TIFFWriteScanline(tiff, const_cast<uint8_t*>(page.ptr(y)), y, 0), 1);
    }
    ASSERT_EQ(TIFFWriteDirectory(tiff), 1);
  }
  TIFFClose(tiff);
}

cv::Mat Grey(int value, int rows = 4) { return cv::Mat(rows, 5, CV_16UC1, cv::Scalar(value)); }

absl::StatusOr<Opened> Open(const std::string& folder, const std::string& pages, int channels) {
  return OpenDataset({.path = folder, .decode = {.channels = channels}, .pages = pages},
                     Split::kPretraining);
}

TEST(PagesTest, AreImagesOfTheirOwn) {
  const std::string folder = TestFolder("stacks");
  WriteStack(folder + "/a/one.tif", {Grey(1)});
  WriteStack(folder + "/b/three.tif", {Grey(10), Grey(20, 7), Grey(30)});
  WriteTestFile(folder + "/b/damaged.tif", "II*");
  const auto opened = Open(folder, "images", 1);
  ASSERT_TRUE(opened.ok()) << opened.status();
  const Dataset& dataset = *opened->dataset;
  ASSERT_EQ(dataset.size(), 5);
  EXPECT_THAT(dataset.Name(0), EndsWith("a/one.tif"));
  EXPECT_FALSE(dataset.Image(1).ok());
  EXPECT_THAT(dataset.Name(2), EndsWith("b/three.tif:1"));
  EXPECT_THAT(dataset.Name(4), EndsWith("b/three.tif:3"));
  EXPECT_EQ(dataset.Label(0), 0);
  for (const int i : {1, 2, 3, 4}) EXPECT_EQ(dataset.Label(i), 1);
  for (const auto& [index, value] : {std::pair(0, 1), {2, 10}, {3, 20}, {4, 30}}) {
    const auto image = dataset.Image(index);
    ASSERT_TRUE(image.ok()) << image.status();
    EXPECT_EQ(image->rows, index == 3 ? 7 : 4);
    EXPECT_EQ(image->at<float>(0, 0), static_cast<float>(value) / 65535.0f);
  }
  EXPECT_THAT(opened->notes, Contains(HasSubstr("3 files hold 5 pages")));
  EXPECT_EQ(Open(folder, "first", 1)->dataset->size(), 3);
}

// Nobody should train on a sixth of a stack without a word.
TEST(PagesTest, PagesThatAreLeftOutAreNoted) {
  const std::string folder = TestFolder("stacks");
  WriteStack(folder + "/a/1.tif", {Grey(1)});
  WriteStack(folder + "/a/2.tif", {Grey(10), Grey(20), Grey(30), Grey(40), Grey(50)});
  const auto note = AllOf(HasSubstr("1 of 2"), HasSubstr("2.tif' has 5 pages"),
                          HasSubstr("--pages=images"), HasSubstr("--pages=channels"));
  const auto opened = Open(folder, "first", 1);
  EXPECT_THAT(opened->notes, Contains(note));
  EXPECT_THAT(Open(folder, "images", 1)->notes, Not(Contains(note)));
  EXPECT_THAT(Open(folder, "channels", 5)->notes, Not(Contains(note)));
  EXPECT_THAT(std::string(Open(folder, "first", 5)->dataset->Image(1).status().message()),
              HasSubstr("--pages=channels"));
  WriteStack(folder + "/a/2.tif", {Grey(2)});
  EXPECT_THAT(Open(folder, "first", 1)->notes, IsEmpty());
}

// GDAL's overviews and masks, and thumbnails, say what they are.
TEST(PagesTest, SmallerCopiesAndMasksAreNone) {
  const std::string folder = TestFolder("overviews");
  WriteStack(folder + "/a.tif",
             {Grey(10), Grey(11, 2), Grey(12), Grey(20), Grey(21, 2), Grey(22, 2)},
             {0, FILETYPE_REDUCEDIMAGE, FILETYPE_MASK, FILETYPE_PAGE, FILETYPE_REDUCEDIMAGE,
              FILETYPE_REDUCEDIMAGE | FILETYPE_MASK});
  const auto images = Open(folder, "images", 1);
  ASSERT_TRUE(images.ok()) << images.status();
  ASSERT_EQ(images->dataset->size(), 2);
  EXPECT_EQ(images->dataset->Image(0)->at<float>(0, 0), 10 / 65535.0f);
  EXPECT_EQ(images->dataset->Image(1)->at<float>(0, 0), 20 / 65535.0f);
  const auto channels = Open(folder, "channels", 2);
  ASSERT_TRUE(channels.ok()) << channels.status();
  const cv::Mat image = channels->dataset->Image(0).value();
  ASSERT_EQ(image.type(), CV_32FC(2));
  EXPECT_EQ(image.ptr<float>(0)[1], 20 / 65535.0f);
  // The first page is read whatever it is, as in other programs.
  WriteStack(folder + "/a.tif", {Grey(1, 2), Grey(2)}, {FILETYPE_REDUCEDIMAGE, 0});
  EXPECT_EQ(Open(folder, "first", 1)->dataset->Image(0)->at<float>(0, 0), 1 / 65535.0f);
  EXPECT_EQ(Open(folder, "images", 1)->dataset->size(), 2);
}

TEST(PagesTest, OfAnArchiveToo) {
  const std::string folder = TestFolder("archive");
  WriteStack(folder + "/stack.tif", {Grey(10), Grey(20)});
  WriteTestFile(folder + "/data/x.tar",
                TarEntry("cat/1.tif", base::ReadFile(folder + "/stack.tif").value()) + TarEnd());
  const auto opened = Open(folder + "/data/x.tar", "images", 1);
  ASSERT_TRUE(opened.ok()) << opened.status();
  ASSERT_EQ(opened->dataset->size(), 2);
  EXPECT_EQ(opened->dataset->Image(1)->at<float>(0, 0), 20 / 65535.0f);
}

TEST(PagesTest, AreTheChannelsOfOneImage) {
  const std::string folder = TestFolder("stacks");
  std::vector<cv::Mat> pages;
  for (int c = 0; c < 5; ++c) pages.push_back(Grey(100 * c));
  WriteStack(folder + "/five.tif", pages);
  const auto opened = Open(folder, "channels", 5);
  ASSERT_TRUE(opened.ok()) << opened.status();
  const auto image = opened->dataset->Image(0);
  ASSERT_TRUE(image.ok()) << image.status();
  ASSERT_EQ(image->type(), CV_32FC(5));
  for (int c = 0; c < 5; ++c) {
    EXPECT_EQ(image->ptr<float>(3)[4 * 5 + c], static_cast<float>(100 * c) / 65535.0f);
  }
  EXPECT_THAT(std::string(Open(folder, "channels", 3)->dataset->Image(0).status().message()),
              HasSubstr("channels=5"));
}

TEST(PagesTest, ThatDoNotFitAreRefusedByName) {
  const std::string folder = TestFolder("stacks");
  WriteStack(folder + "/sizes.tif", {Grey(1), Grey(1, 8)});
  WriteStack(folder + "/colours.tif", {Grey(1), cv::Mat(4, 5, CV_16UC3, cv::Scalar::all(0))});
  WriteStack(folder + "/many.tif", std::vector<cv::Mat>(65, Grey(1)));
  for (const char* name : {"/sizes.tif", "/colours.tif", "/many.tif"}) {
    const auto image = ReadImage(folder + name, {.channels = 2, .pages_as_channels = true});
    EXPECT_EQ(image.status().code(), absl::StatusCode::kDataLoss) << name;
    EXPECT_THAT(std::string(image.status().message()), HasSubstr("--pages")) << name;
  }
  const auto third = ReadImage(folder + "/sizes.tif", {.page = 2});
  EXPECT_EQ(third.status().code(), absl::StatusCode::kDataLoss);
}

// The directory of the last page names the first as the next.
TEST(PagesTest, ALoopOfPagesEnds) {
  const std::string folder = TestFolder("stacks");
  WriteStack(folder + "/loop.tif", {Grey(1), Grey(2)});
  std::string bytes = base::ReadFile(folder + "/loop.tif").value();
  const auto number = [&](size_t at, int size) {
    uint32_t value = 0;
    for (int i = size - 1; i >= 0; --i) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
    return value;
  };
  const uint32_t first = number(4, 4);
  const uint32_t second = number(first + 2 + 12 * number(first, 2), 4);
  const size_t next = second + 2 + 12 * number(second, 2);
  for (int i = 0; i < 4; ++i) bytes[next + i] = static_cast<char>(first >> 8 * i);
  const auto encoded = FindCodec(bytes)->Open(bytes);
  ASSERT_TRUE(encoded.ok()) << encoded.status();
  EXPECT_LE((*encoded)->pages(), 3);
  EXPECT_TRUE(DecodeImage(bytes, {.channels = 1, .page = 1}).ok());
}

TEST(PagesTest, DataWithoutFilesHaveNone) {
  const std::string folder = TestFolder("idx");
  WriteTestFile(folder + "/train-images-idx3-ubyte",
                std::string("\0\0\x08\x03\0\0\0\1\0\0\0\2\0\0\0\2", 16) + "abcd");
  WriteTestFile(folder + "/train-labels-idx1-ubyte", std::string("\0\0\x08\x01\0\0\0\1\0", 9));
  const auto opened = Open(folder, "images", 1);
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(opened.status().message()), HasSubstr("--pages"));
}

}  // namespace
}  // namespace data
