#include "moco/before/preview.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <opencv2/core.hpp>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "augment/augmentation.h"
#include "augment/draws.h"
#include "base/rng.h"
#include "data/dataset.h"
#include "data/decode.h"
#include "data/encode.h"
#include "data/test_images.h"
#include "moco/report/first_images.h"

namespace moco {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kViews[] =
    "random_resized_crop:size=16|flip:p=0|color_jitter:brightness=0.4|to_tensor|"
    "normalize:mean=0.5,std=0.25";

// A data set of pictures, of which some cannot be read.
std::unique_ptr<data::Dataset> Pictures(int good, int bad, int channels = 3) {
  const std::string folder = data::TestFolder("pictures");
  for (int i = 0; i < good + bad; ++i) {
    const std::string bytes = data::EncodePng(data::TestImage(i, 24, 30));
    data::WriteTestFile(absl::StrCat(folder, "/", i / 10, i % 10, "<b>.png"),
                        i < good ? bytes : bytes.substr(0, 40));
  }
  return std::move(data::OpenDataset({.path = folder, .decode = {.channels = channels}},
                                     data::Split::kPretraining)
                       .value()
                       .dataset);
}

int CountOf(const std::string& text, const std::string& part) {
  int count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(PreviewTest, ThePageShowsEachStepOfBothViews) {
  const auto dataset = Pictures(9, 0);
  const auto views = augment::Pipeline::Create(kViews).value();
  const auto page = PreviewPage({dataset.get(), &views, 5, "in <here>"});
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(*page, AllOf(HasSubstr("in &#60;here&#62;"), Not(HasSubstr("<here>")),
                           HasSubstr("&#60;b&#62;.png: query after color_jitter"),
                           HasSubstr("key after random_resized_crop"),
                           HasSubstr("&#60;b&#62;.png: second view (key)"),
                           Not(HasSubstr("after normalize"))));
  EXPECT_THAT(*page, HasSubstr("flip:p=0</code><td>0 of the 18 views"));
  EXPECT_THAT(*page, HasSubstr("</code><td>18 of the 18 views"));
  // Of six images and both views, the flip.
  EXPECT_EQ(CountOf(*page, "<td class=\"same\">"), 12);
  EXPECT_EQ(CountOf(*page, ">values -"), 12);  // after normalize
  EXPECT_THAT(*page, HasSubstr("16 x 16 pixels"));
}

TEST(PreviewTest, TheSheetIsAPictureOfTwoRowsForEachImage) {
  const auto dataset = Pictures(3, 0);
  const auto views = augment::Pipeline::Create(kViews).value();
  const auto png = PreviewSheet({dataset.get(), &views, 5, ""});
  ASSERT_TRUE(png.ok()) << png.status();
  const cv::Mat sheet = data::DecodeImage(*png).value();
  const int tile = (sheet.cols - 52) / 4;  // the original and three steps
  EXPECT_EQ(sheet.rows, 24 + 3 * 2 * tile);
}

TEST(PreviewTest, ImagesThatCannotBeReadAreLeftOut) {
  const auto views = augment::Pipeline::Create(kViews).value();
  const auto some = Pictures(5, 4);
  const auto page = PreviewPage({some.get(), &views, 5, ""});
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(*page, HasSubstr("of the 10 views"));
  const auto none = Pictures(0, 4);
  EXPECT_EQ(PreviewPage({none.get(), &views, 5, ""}).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_FALSE(PreviewSheet({none.get(), &views, 5, ""}).ok());
}

TEST(PreviewTest, GreyImages) {
  const auto dataset = Pictures(2, 0, 1);
  const auto views = augment::Pipeline::Create(
                         "random_resized_crop:size=16|to_tensor|normalize:mean=0.5,std=0.2", 1)
                         .value();
  EXPECT_TRUE(PreviewPage({dataset.get(), &views, 5, ""}).ok());
  EXPECT_TRUE(PreviewSheet({dataset.get(), &views, 5, ""}).ok());
}

// The outline is what the crop has drawn.
TEST(PreviewTest, TheOutlineIsTheCrop) {
  const auto views = augment::Pipeline::Create(
                         "random_resized_crop:size=32,scale_min=0.1,scale_max=0.9|flip|to_tensor")
                         .value();
  for (int64_t sample = 0; sample < 50; ++sample) {
    const cv::Size size(200, 150);
    base::Rng stream = report::ViewStream(3, sample, sample % 2), same = stream;
    const cv::Rect drawn = augment::DrawCrop(stream, size, {0.1, 0.9, 3.0 / 4, 4.0 / 3});
    const auto part = ShownPart(views, size, same);
    ASSERT_TRUE(part);
    EXPECT_NEAR(part->x, drawn.x, 2);
    EXPECT_NEAR(part->y, drawn.y, 2);
    EXPECT_NEAR(part->width, drawn.width, 3);
    EXPECT_NEAR(part->height, drawn.height, 3);
  }
  const auto whole = augment::Pipeline::Create("flip|center_crop:size=16|to_tensor").value();
  EXPECT_FALSE(ShownPart(whole, {40, 40}, report::ViewStream(3, 0, 0)));
}

}  // namespace
}  // namespace moco
