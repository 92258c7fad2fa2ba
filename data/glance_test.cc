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
    return cv::Mat(30, 40, CV_8UC3, cv::Scalar::all(0));
  }
  std::string Name(int64_t i) const override { return absl::StrCat("x/", i, ".png"); }
  int Label(int64_t i) const override { return static_cast<int>(i % 2); }
  const std::vector<std::string>& classes() const override { return classes_; }

  int64_t bad_every = 0;
  std::chrono::milliseconds pause{0};
  mutable std::atomic<int> read = 0;

 private:
  const int64_t size_;
  const std::vector<std::string> classes_ = {"cat", "dog", "eel"};
};

TEST(GlanceTest, SaysWhatThereIs) {
  EXPECT_THAT(Glance(Images(5), {}), ElementsAre("files    .png 5", "classes  2 of 2 to 3 images"));
  EXPECT_THAT(
      Glance(Images(4), {.what = "validation", .labels = true, .view_size = 32}),
      ElementsAre("files    validation: .png 4", "classes  validation: 2 of 2 images",
                  AllOf(StartsWith("note     validation: 1 of 3 classes"), HasSubstr("eel"))));
}

TEST(GlanceTest, ViewsMuchLargerThanTheImages) {
  EXPECT_THAT(Glance(Images(5), {.view_size = 45}), SizeIs(2));
  const auto lines = Glance(Images(5), {.view_size = 224});
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_THAT(lines[2],
              AllOf(StartsWith("note "), HasSubstr("is 30 pixels"), HasSubstr("--image-size")));
}

TEST(GlanceTest, ImagesThatCannotBeRead) {
  Images images(100);
  images.bad_every = 25;
  const auto lines = Glance(images, {});
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_THAT(lines[2], AllOf(HasSubstr(" of 16 images"), HasSubstr("x/0.png is empty")));
  EXPECT_EQ(images.read, 16);
}

// On a slow disk, the start waits for few images.
TEST(GlanceTest, EndsInTime) {
  Images images(1000);
  images.pause = std::chrono::milliseconds(200);
  Glance(images, {});
  EXPECT_LE(images.read, 3);
  EXPECT_GE(images.read, 1);
}

}  // namespace
}  // namespace data
