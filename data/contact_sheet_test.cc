#include "data/contact_sheet.h"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace data {
namespace {

const cv::Vec3b kRed(200, 10, 20), kGreen(10, 200, 20), kGrey(90, 90, 90), kWhite(255, 255, 255);

// A square, a wide, a tall and a grey image, each of one colour, and one that cannot be read.
class Colours : public Dataset {
 public:
  int64_t size() const override { return 5; }
  absl::StatusOr<cv::Mat> Image(int64_t index) const override {
    switch (index) {
      case 0:
        return cv::Mat(9, 9, CV_8UC3, cv::Scalar(kRed));
      case 1:
        return cv::Mat(10, 40, CV_8UC3, cv::Scalar(kGreen));
      case 2:
        return cv::Mat(1000, 1, CV_8UC3, cv::Scalar(kRed));
      case 3:
        return cv::Mat(3, 3, CV_8UC1, cv::Scalar(90));
    }
    return absl::DataLossError("is cut");
  }
  std::string Name(int64_t index) const override { return ""; }
  int Label(int64_t index) const override { return -1; }
  const std::vector<std::string>& classes() const override { return classes_; }

 private:
  const std::vector<std::string> classes_ = {};
};

// Whether all of the rectangle is of that colour.
bool Is(const cv::Mat& sheet, int x, int y, int width, int height, const cv::Vec3b& colour) {
  const cv::Mat part = sheet(cv::Rect(x, y, width, height));
  return cv::norm(part, cv::Mat(part.size(), CV_8UC3, cv::Scalar(colour)), cv::NORM_INF) == 0;
}

TEST(ContactSheetTest, ImagesFillTheirSquaresRowAfterRow) {
  const cv::Mat sheet = ContactSheet(Colours(), {0, 3, 0, 3, 3}, 3, 20);
  ASSERT_EQ(sheet.size(), cv::Size(60, 40));
  ASSERT_EQ(sheet.type(), CV_8UC3);
  EXPECT_TRUE(Is(sheet, 0, 0, 20, 20, kRed));
  EXPECT_TRUE(Is(sheet, 20, 0, 20, 20, kGrey));
  EXPECT_TRUE(Is(sheet, 40, 0, 20, 20, kRed));
  EXPECT_TRUE(Is(sheet, 0, 20, 40, 20, kGrey));
  EXPECT_TRUE(Is(sheet, 40, 20, 20, 20, kWhite));  // no sixth image
}

TEST(ContactSheetTest, OtherShapesAreCentred) {
  const cv::Mat sheet = ContactSheet(Colours(), {1, 2}, 2, 20);
  EXPECT_TRUE(Is(sheet, 0, 0, 20, 7, kWhite));
  EXPECT_TRUE(Is(sheet, 0, 7, 20, 5, kGreen));
  EXPECT_TRUE(Is(sheet, 0, 12, 20, 8, kWhite));
  // One pixel is left of a thousandth.
  EXPECT_TRUE(Is(sheet, 20, 0, 9, 20, kWhite));
  EXPECT_TRUE(Is(sheet, 29, 0, 1, 20, kRed));
  EXPECT_TRUE(Is(sheet, 30, 0, 10, 20, kWhite));
}

TEST(ContactSheetTest, WhatCannotBeReadIsCrossed) {
  const cv::Mat sheet = ContactSheet(Colours(), {4, 0}, 2, 21);
  EXPECT_NE(sheet.at<cv::Vec3b>(10, 10), kWhite);
  EXPECT_NE(sheet.at<cv::Vec3b>(0, 5), kWhite);
  EXPECT_NE(sheet.at<cv::Vec3b>(20, 0), kWhite);
  EXPECT_EQ(sheet.at<cv::Vec3b>(10, 4), kWhite);
  EXPECT_TRUE(Is(sheet, 21, 0, 21, 21, kRed));
}

}  // namespace
}  // namespace data
