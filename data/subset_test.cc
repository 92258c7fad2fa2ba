#include "data/subset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace data {
namespace {

// 70 images of one class, 5 of another, one of the last; the image's name is its index.
class Uneven : public Dataset {
 public:
  int64_t size() const override { return 76; }
  absl::StatusOr<cv::Mat> Image(int64_t index) const override {
    return cv::Mat(1, 1, CV_8UC3, cv::Scalar::all(static_cast<double>(index)));
  }
  std::string Name(int64_t index) const override { return absl::StrCat(index); }
  int Label(int64_t index) const override { return index < 70 ? 0 : index < 75 ? 1 : 2; }
  const std::vector<std::string>& classes() const override { return classes_; }

 private:
  const std::vector<std::string> classes_ = {"a", "b", "c"};
};

std::vector<std::string> Names(double fraction, uint64_t seed) {
  const auto subset = FractionOfLabels(std::make_unique<Uneven>(), fraction, seed);
  std::vector<std::string> names;
  for (int64_t i = 0; i < subset->size(); ++i) names.push_back(subset->Name(i));
  return names;
}

TEST(SubsetTest, TakesTheFractionOfEachClass) {
  const auto subset = FractionOfLabels(std::make_unique<Uneven>(), 0.1, 3);
  ASSERT_EQ(subset->classes().size(), 3);
  std::vector<int> counts(3);
  std::set<std::string> names;
  for (int64_t i = 0; i < subset->size(); ++i) {
    ++counts[subset->Label(i)];
    names.insert(subset->Name(i));
    EXPECT_EQ(subset->Image(i)->at<cv::Vec3b>(0, 0)[0], std::stoi(subset->Name(i)));
    EXPECT_EQ(Uneven().Label(std::stoi(subset->Name(i))), subset->Label(i));
  }
  EXPECT_EQ(counts, std::vector<int>({7, 1, 1}));
  EXPECT_EQ(names.size(), 9);
}

TEST(SubsetTest, TheSeedDecides) {
  EXPECT_EQ(Names(0.3, 1), Names(0.3, 1));
  EXPECT_NE(Names(0.3, 1), Names(0.3, 2));
  EXPECT_EQ(Names(1, 1).size(), 76);
}

TEST(SubsetTest, ARandomSampleKeepsTheOrder) {
  const Uneven whole;
  const auto numbers = [&](int64_t count, uint64_t seed) {
    const auto sample = RandomSample(whole, count, seed);
    std::vector<int> all;
    for (int64_t i = 0; i < sample->size(); ++i) all.push_back(std::stoi(sample->Name(i)));
    return all;
  };
  const std::vector<int> ten = numbers(10, 1);
  EXPECT_EQ(ten.size(), 10);
  EXPECT_EQ(std::set<int>(ten.begin(), ten.end()).size(), 10);
  EXPECT_TRUE(std::is_sorted(ten.begin(), ten.end()));
  EXPECT_EQ(ten, numbers(10, 1));
  EXPECT_NE(ten, numbers(10, 2));
  EXPECT_EQ(numbers(76, 1), numbers(1000, 1));
}

}  // namespace
}  // namespace data
