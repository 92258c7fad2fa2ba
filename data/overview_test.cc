#include "data/overview.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class Labelled : public Dataset {
 public:
  Labelled(std::vector<std::string> classes, std::vector<std::pair<std::string, int>> images)
      : classes_(std::move(classes)), images_(std::move(images)) {}

  int64_t size() const override { return images_.size(); }
  absl::StatusOr<cv::Mat> Image(int64_t) const override { return absl::DataLossError("unread"); }
  std::string Name(int64_t i) const override { return images_[i].first; }
  int Label(int64_t i) const override { return images_[i].second; }
  const std::vector<std::string>& classes() const override { return classes_; }

 private:
  const std::vector<std::string> classes_;
  const std::vector<std::pair<std::string, int>> images_;
};

TEST(OverviewTest, CountsByEndingAndClass) {
  const Labelled dataset({"cat", "dog", "eel"}, {{"/d.x/a.jpg", 0},
                                                 {"b.JPG", 0},
                                                 {"c.png", 1},
                                                 {"d.v1/no_ending", 0},
                                                 {"train.bin 17", 0},
                                                 {"e.jpeg", -1}});
  const Overview overview = Summarize(dataset);
  EXPECT_EQ(overview.images, 6);
  EXPECT_THAT(overview.endings,
              UnorderedElementsAre(Pair(".jpg", 2), Pair(".png", 1), Pair(".jpeg", 1)));
  EXPECT_THAT(overview.class_sizes, ElementsAre(4, 1, 0));
  EXPECT_EQ(overview.unlabelled, 1);
  EXPECT_THAT(
      DescribeOverview(overview, dataset.classes()),
      ElementsAre("files    .jpg 2, .jpeg 1, .png 1",
                  "classes  2 of 1 to 4 images; fewest: 'dog' 1, 'cat' 4; 1 images have no label"));
  EXPECT_THAT(EmptyClassesNote(overview, dataset.classes()),
              AllOf(HasSubstr("1 of 3 classes"), HasSubstr("'eel';"), HasSubstr("from 0")));
}

TEST(OverviewTest, EvenClassesAndManyEmptyOnes) {
  std::vector<std::string> classes;
  std::vector<std::pair<std::string, int>> images;
  for (int c = 0; c < 20; ++c) {
    classes.push_back(absl::StrCat("c", c));
    if (c < 10) images.emplace_back("x.png", c);
  }
  const Labelled dataset(classes, images);
  const Overview overview = Summarize(dataset);
  EXPECT_THAT(DescribeOverview(overview, classes),
              ElementsAre("files    .png 10", "classes  10 of 1 images"));
  EXPECT_THAT(EmptyClassesNote(overview, classes),
              AllOf(HasSubstr("10 of 20 classes"), HasSubstr("'c10', 'c11', 'c12' and 7 more")));
}

TEST(OverviewTest, NoClassIsEmpty) {
  const Labelled dataset({"cat", "dog"}, {{"a.png", 1}, {"b.png", 0}});
  EXPECT_THAT(EmptyClassesNote(Summarize(dataset), dataset.classes()), IsEmpty());
}

TEST(OverviewTest, TwoSplitsAreTold) {
  const Labelled dataset({"cat"}, {{"a.jpg", 0}});
  EXPECT_THAT(DescribeOverview(Summarize(dataset), dataset.classes(), "validation"),
              ElementsAre("files    validation: .jpg 1", "classes  validation: 1 of 1 images"));
}

TEST(OverviewTest, NothingToSay) {
  const Labelled dataset({}, {{"test_batch.bin 1", -1}});
  EXPECT_THAT(DescribeOverview(Summarize(dataset), {}), IsEmpty());
}

}  // namespace
}  // namespace data
