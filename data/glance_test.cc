#include "data/glance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <opencv2/core.hpp>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

namespace data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

// Images of 40 x 30 pixels in three classes, the last of which is empty.
class Images : public Dataset {
 public:
  explicit Images(int64_t size) : size_(size) {}

  int64_t size() const override { return size_; }
  absl::StatusOr<cv::Mat> Image(int64_t i) const override {
    ++read;
    std::this_thread::sleep_for(pause);
    if (bad_every > 0 && i % bad_every == 0) return absl::DataLossError(Name(i) + " is empty");
    if (largest == 0) return cv::Mat(30, 40, CV_8UC3, cv::Scalar::all(0));
    return cv::Mat(30, 40, CV_32FC3, cv::Scalar::all(i == 0 ? largest / 65535.0 : 0));
  }
  std::string Name(int64_t i) const override { return absl::StrCat("x/", i, ".png"); }
  int Label(int64_t i) const override { return static_cast<int>(i % 2); }
  const std::vector<std::string>& classes() const override { return classes_; }

  int64_t bad_every = 0;
  int largest = 0;  // value of 16 bits; 0: the images have 8
  std::chrono::milliseconds pause{0};
  mutable std::atomic<int> read = 0;

 private:
  const int64_t size_;
  const std::vector<std::string> classes_ = {"cat", "dog", "eel"};
};

TEST(GlanceTest, SaysWhatThereIs) {
  EXPECT_THAT(Glance(Images(5), {}).value(),
              ElementsAre("files    .png 5", "classes  2 of 2 to 3 images"));
  EXPECT_THAT(
      Glance(Images(4), {.what = "validation", .labels = true, .view_size = 32}).value(),
      ElementsAre("files    validation: .png 4", "classes  validation: 2 of 2 images",
                  AllOf(StartsWith("note     validation: 1 of 3 classes"), HasSubstr("eel"))));
}

TEST(GlanceTest, ViewsMuchLargerThanTheImages) {
  EXPECT_THAT(Glance(Images(5), {.view_size = 45}).value(), SizeIs(2));
  const auto lines = Glance(Images(5), {.view_size = 224}).value();
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_THAT(lines[2],
              AllOf(StartsWith("note "), HasSubstr("is 30 pixels"), HasSubstr("--image-size")));
}

TEST(GlanceTest, ImagesThatCannotBeRead) {
  Images images(100);
  images.bad_every = 25;
  const auto lines = Glance(images, {}).value();
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_THAT(lines[2], AllOf(HasSubstr(" of 16 images"), HasSubstr("x/0.png is empty")));
  EXPECT_EQ(images.read, 16);
}

TEST(GlanceTest, WhatIsWrongWithAllImagesIsAnError) {
  Images images(100);
  images.bad_every = 1;
  const auto lines = Glance(images, {});
  EXPECT_EQ(lines.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(lines.status().message()), HasSubstr("x/0.png is empty"));
  // On a slow disk, too, a few damaged images are not all of them.
  Images slow(100);
  slow.bad_every = 25;
  slow.pause = std::chrono::milliseconds(400);
  EXPECT_TRUE(Glance(slow, {}).ok());
}

TEST(GlanceTest, UpperBitsThatAreNeverUsed) {
  for (const auto& [largest, flag] :
       {std::pair(4011, "--range=0:4095"), std::pair(900, "--range=0:1023")}) {
    Images images(100);
    images.largest = largest;
    const auto lines = Glance(images, {}).value();
    ASSERT_THAT(lines, SizeIs(3));
    EXPECT_THAT(lines[2], AllOf(StartsWith("note "), HasSubstr(flag)));
    EXPECT_THAT(Glance(images, {.decode = {.range = {{0, 4095}}}}).value(), SizeIs(2));
  }
  Images images(100);
  images.largest = 65000;
  EXPECT_THAT(Glance(images, {}).value(), SizeIs(2));
}

// On a slow disk, the start waits for few images.
TEST(GlanceTest, EndsInTime) {
  Images images(1000);
  images.pause = std::chrono::milliseconds(200);
  EXPECT_TRUE(Glance(images, {}).ok());
  EXPECT_LE(images.read, 3);
  EXPECT_GE(images.read, 1);
}

}  // namespace
}  // namespace data
