// Every operation against Pillow's and torchvision's own results, bit for bit.
#include "augment/ops.h"

#include <gtest/gtest.h>

#include <fstream>
#include <opencv2/core.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"

namespace augment {
namespace {

struct Golden {
  std::string name;
  std::vector<double> parameters;
  cv::Mat image;
};

std::vector<Golden> ReadGolden() {
  std::ifstream file("augment/testdata/ops_golden.txt");
  std::vector<Golden> all;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#") || line.starts_with("all_")) continue;
    std::istringstream words(line);
    std::vector<std::string> rest;
    Golden golden;
    words >> golden.name;
    for (std::string word; words >> word;) rest.push_back(word);
    const size_t n = rest.size();
    for (size_t i = 0; i + 3 < n; ++i) golden.parameters.push_back(std::stod(rest[i]));
    const std::string bytes = absl::HexStringToBytes(rest[n - 1]);
    const int cols = std::stoi(rest[n - 3]), rows = std::stoi(rest[n - 2]);
    EXPECT_EQ(bytes.size(), 3u * rows * cols);
    golden.image = cv::Mat(rows, cols, CV_8UC3, const_cast<char*>(bytes.data())).clone();
    all.push_back(golden);
  }
  return all;
}

cv::Mat Compute(const Golden& golden, const cv::Mat& image) {
  const auto& p = golden.parameters;
  if (golden.name == "resized_crop") {
    return ResizedCrop(image, cv::Rect(p[0], p[1], p[2], p[3]), golden.image.size());
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
  const std::vector<Golden> golden = ReadGolden();
  ASSERT_GT(golden.size(), 40u);
  const cv::Mat image = golden[0].image;
  // A second copy inside a larger image: rows that do not lie one after the other.
  cv::Mat larger(image.rows + 4, image.cols + 9, CV_8UC3, cv::Scalar(9, 99, 199));
  cv::Mat inside = larger(cv::Rect(5, 2, image.cols, image.rows));
  image.copyTo(inside);
  const cv::Mat before = larger.clone();
  for (size_t i = 1; i < golden.size(); ++i) {
    for (const cv::Mat& input : {image, inside}) {
      const cv::Mat result = Compute(golden[i], input);
      ASSERT_EQ(result.size(), golden[i].image.size()) << golden[i].name;
      EXPECT_EQ(cv::norm(result, golden[i].image, cv::NORM_INF), 0)
          << golden[i].name << " " << ::testing::PrintToString(golden[i].parameters);
    }
  }
  EXPECT_EQ(cv::norm(larger, before, cv::NORM_INF), 0) << "an operation wrote into its input";
}

// Of what rounds in many steps, every colour that there is.
TEST(OpsTest, EqualToPillowForAllColours) {
  cv::Mat colours(4096, 4096, CV_8UC3);
  for (uint32_t n = 0; n < 1 << 24; ++n) {
    uint8_t* p = colours.ptr() + 3 * n;
    p[0] = n >> 16, p[1] = n >> 8, p[2] = n;
  }
  std::ifstream file("augment/testdata/ops_golden.txt");
  int lines = 0;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("all_")) continue;
    ++lines;
    std::istringstream words(line);
    std::string name;
    double parameter;
    uint64_t expected, sum = 0;
    words >> name >> parameter >> expected;
    const cv::Mat result =
        name == "all_hue" ? AdjustHue(colours, parameter) : AdjustSaturation(colours, parameter);
    for (uint64_t i = 0; i < 3 << 24; ++i) sum += result.data[i] * i * 2654435761;
    EXPECT_EQ(sum, expected) << line;
  }
  EXPECT_EQ(lines, 4);
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
