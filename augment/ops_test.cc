// Every operation against Pillow's and torchvision's own results, bit for bit.
#include "augment/ops.h"

#include <gtest/gtest.h>

#include <fstream>
#include <opencv2/core.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "base/hex.h"

namespace augment {
namespace {

// One line of testdata/ops_golden.txt; see make_ops_golden.py.
struct Golden {
  std::string source = "image";  // what the operation is applied to
  std::string name;
  std::vector<double> parameters;
  cv::Size size;
  std::string result;  // bytes, or their weighted sum
};

std::vector<Golden> ReadGolden() {
  std::ifstream file("augment/testdata/ops_golden.txt");
  std::vector<Golden> all;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#")) continue;
    std::istringstream words(line);
    std::vector<std::string> rest;
    Golden golden;
    words >> golden.name;
    const bool is_sum = golden.name == "sum";
    if (is_sum) words >> golden.source >> golden.name;
    for (std::string word; words >> word;) rest.push_back(word);
    const size_t n = rest.size();
    for (size_t i = 0; i + 3 < n; ++i) golden.parameters.push_back(std::stod(rest[i]));
    golden.size = {std::stoi(rest[n - 3]), std::stoi(rest[n - 2])};
    golden.result = is_sum ? rest[n - 1] : base::BytesOfHex(rest[n - 1]).value();
    all.push_back(golden);
  }
  return all;
}

std::string Bytes(const cv::Mat& image) {
  const cv::Mat whole = image.clone();
  return {whole.datastart, whole.dataend};
}

std::string WeightedSum(const cv::Mat& image) {
  uint64_t sum = 0, i = 0;
  for (const uint8_t* p = image.datastart; p != image.dataend; ++p, ++i) sum += *p * i * 2654435761;
  return std::to_string(sum);
}

cv::Mat Noise() {
  cv::Mat image(203, 301, CV_8UC3);
  for (uint64_t i = 0; i < 3 * image.total(); ++i) image.data[i] = i * 2654435761 >> 13;
  return image;
}

cv::Mat AllColours() {
  cv::Mat image(4096, 4096, CV_8UC3);
  for (uint32_t n = 0; n < image.total(); ++n) {
    uint8_t* p = image.data + 3 * n;
    p[0] = n >> 16, p[1] = n >> 8, p[2] = n;
  }
  return image;
}

cv::Mat Compute(const Golden& golden, const cv::Mat& image) {
  const auto& p = golden.parameters;
  if (golden.name == "resized_crop") {
    return ResizedCrop(image, cv::Rect(p[0], p[1], p[2], p[3]), golden.size);
  }
  if (golden.name == "brightness") return AdjustBrightness(image, p[0]);
  if (golden.name == "contrast") return AdjustContrast(image, p[0]);
  if (golden.name == "saturation") return AdjustSaturation(image, p[0]);
  if (golden.name == "hue") return AdjustHue(image, p[0]);
  if (golden.name == "grayscale") return Grayscale(image);
  if (golden.name == "blur") return GaussianBlur(image, p[0]);
  if (golden.name == "flip") return Flip(image);
  ADD_FAILURE() << "no operation " << golden.name;
  return image;
}

TEST(OpsTest, EqualToPillow) {
  std::vector<Golden> all = ReadGolden();
  ASSERT_GT(all.size(), 40u);
  const cv::Mat image(all[0].size, CV_8UC3, all[0].result.data());
  // A second copy inside a larger image: rows that do not lie one after the other.
  cv::Mat larger(image.rows + 4, image.cols + 9, CV_8UC3, cv::Scalar(9, 99, 199));
  const cv::Mat inside = larger(cv::Rect(5, 2, image.cols, image.rows));
  image.copyTo(inside);
  const cv::Mat before = larger.clone();
  for (const Golden& golden : all) {
    if (golden.source != "image" || golden.name == "image") continue;
    for (const cv::Mat& input : {image, inside}) {
      const cv::Mat result = Compute(golden, input);
      EXPECT_EQ(result.size(), golden.size) << golden.name;
      EXPECT_TRUE(Bytes(result) == golden.result)
          << golden.name << " " << ::testing::PrintToString(golden.parameters);
    }
  }
  EXPECT_EQ(cv::norm(larger, before, cv::NORM_INF), 0) << "an operation wrote into its input";
}

// Rows longer than any register; and, for what rounds in many steps, every colour that there is.
TEST(OpsTest, EqualToPillowOnLargeImages) {
  const cv::Mat noise = Noise(), all_colours = AllColours();
  int sums = 0;
  for (const Golden& golden : ReadGolden()) {
    if (golden.source == "image") continue;
    ++sums;
    const cv::Mat result = Compute(golden, golden.source == "noise" ? noise : all_colours);
    EXPECT_EQ(result.size(), golden.size) << golden.name;
    EXPECT_EQ(WeightedSum(result), golden.result)
        << golden.name << " " << ::testing::PrintToString(golden.parameters);
  }
  EXPECT_EQ(sums, 14);
}

// Blocks and their rests, also inside of a larger image.
TEST(OpsTest, TransposesEverySize) {
  const cv::Mat noise = Noise();
  for (int rows = 1; rows < 24; ++rows) {
    for (int cols = 1; cols < 24; ++cols) {
      const cv::Mat part = noise(cv::Rect(301 - cols, 203 - rows, cols, rows));
      for (const cv::Mat& image : {part, part.clone()}) {
        const cv::Mat turned = Rotate90(image, 1);  // mirrors what it has transposed
        ASSERT_EQ(turned.size(), cv::Size(rows, cols));
        for (int y = 0; y < rows; ++y) {
          for (int x = 0; x < cols; ++x) {
            ASSERT_EQ(turned.at<cv::Vec3b>(cols - 1 - x, y), image.at<cv::Vec3b>(y, x))
                << rows << " x " << cols;
          }
        }
      }
    }
  }
}

TEST(OpsTest, OnePixel) {
  const cv::Mat pixel(1, 1, CV_8UC3, cv::Scalar(10, 200, 30));
  for (const cv::Mat& result :
       {GaussianBlur(pixel, 2), Flip(pixel), AdjustHue(pixel, 0), AdjustContrast(pixel, 1),
        ResizedCrop(pixel, cv::Rect(0, 0, 1, 1), {1, 1})}) {
    ASSERT_EQ(result.size(), pixel.size());
    EXPECT_LE(cv::norm(result, pixel, cv::NORM_INF), 2);  // hue goes through 8-bit HSV
  }
}

}  // namespace
}  // namespace augment
