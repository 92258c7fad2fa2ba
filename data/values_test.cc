#include "data/values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <opencv2/core.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/decode.h"

namespace data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(RangeTest, IsReadAndWritten) {
  for (const std::string text : {"", "0:4095", "-1000:400", "0:0.5", "0:1,2:3,4:5"}) {
    const auto flag = ReadRange(text, 3);
    ASSERT_TRUE(flag.ok()) << flag.status();
    EXPECT_FALSE(flag->automatic);
    EXPECT_EQ(WriteRange(flag->ranges), text);
  }
  EXPECT_TRUE(ReadRange("auto", 3)->automatic);
  EXPECT_FALSE(ReadRange("auto", 3)->by_channel);
  EXPECT_TRUE(ReadRange("auto-channels", 3)->by_channel);
}

TEST(RangeTest, OtherTextsAreRefusedByName) {
  for (const char* text : {"5", "5:", ":5", "5:5", "6:5", "a:b", "0:nan", "0:inf", "0:1:2", "full",
                           "0:1,0:1", "0:1,0:1,0:1,0:1"}) {
    const auto flag = ReadRange(text, 3);
    ASSERT_FALSE(flag.ok()) << text;
    EXPECT_EQ(flag.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(flag.status().message()), HasSubstr("--range"));
  }
}

// Images that a test makes, of values as they are stored.
class Stored : public Dataset {
 public:
  Stored(int64_t size, std::function<cv::Mat(int64_t)> make, DecodeOptions decode)
      : size_(size), make_(std::move(make)), decode_(std::move(decode)) {}
  int64_t size() const override { return size_; }
  absl::StatusOr<cv::Mat> Image(int64_t index) const override {
    const cv::Mat image = make_(index);
    if (image.empty()) return absl::DataLossError(absl::StrCat("'", index, "' is cut"));
    return FinishImage(image, decode_);
  }
  std::string Name(int64_t index) const override { return absl::StrCat(index); }
  int Label(int64_t) const override { return -1; }
  const std::vector<std::string>& classes() const override { return classes_; }

 private:
  const int64_t size_;
  const std::function<cv::Mat(int64_t)> make_;
  const DecodeOptions decode_;
  const std::vector<std::string> classes_ = {};
};

constexpr DecodeOptions Raw(int channels) { return {.channels = channels, .raw = true}; }

// Values 0 to 999, each as often as the others, in one channel, 1000 more in the next, ...
cv::Mat Ramp(int channels) {
  cv::Mat image(10, 100, CV_16UC(channels));
  for (int i = 0; i < 1000 * channels; ++i) {
    image.ptr<uint16_t>(0)[i] = i / channels + 1000 * (i % channels);
  }
  return image;
}

TEST(FindRangeTest, GivesPercentiles) {
  const Stored data(
      300, [](int64_t) { return Ramp(2); }, Raw(2));
  const auto all = FindRange(data, false);
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_THAT(*all, ElementsAre(ValueRange{2, 1997}));
  EXPECT_THAT(*FindRange(data, true), ElementsAre(ValueRange{1, 998}, ValueRange{1001, 1998}));
}

TEST(FindRangeTest, OutliersAndNanDoNotCount) {
  const Stored data(
      4,
      [](int64_t) {
        cv::Mat image;
        Ramp(1).convertTo(image, CV_32F);
        image.at<float>(0, 0) = std::numeric_limits<float>::quiet_NaN();
        image.at<float>(0, 1) = 1e9f;
        return image;
      },
      Raw(1));
  const auto range = FindRange(data, false);
  ASSERT_TRUE(range.ok()) << range.status();
  EXPECT_LT((*range)[0].high, 1000);
}

TEST(FindRangeTest, OfEightBitsThereIsNone) {
  const Stored data(
      4, [](int64_t) { return cv::Mat(2, 2, CV_8UC3, cv::Scalar::all(9)); }, Raw(3));
  EXPECT_THAT(*FindRange(data, false), IsEmpty());
}

TEST(FindRangeTest, ConstantImagesAndUnreadableOnesAreRefused) {
  const Stored constant(
      4, [](int64_t) { return cv::Mat(2, 2, CV_16UC1, cv::Scalar(9)); }, Raw(1));
  EXPECT_THAT(std::string(FindRange(constant, true).status().message()), HasSubstr("--range"));
  const Stored cut(
      4, [](int64_t) { return cv::Mat(); }, Raw(1));
  EXPECT_THAT(std::string(FindRange(cut, true).status().message()), HasSubstr("'0' is cut"));
}

}  // namespace
}  // namespace data
