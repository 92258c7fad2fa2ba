#include "data/classes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "data/encode.h"
#include "data/test_images.h"

namespace data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::unique_ptr<Dataset> Folder(const std::vector<std::string>& names) {
  const std::string root = TestFolder("data");
  for (size_t i = 0; i < names.size(); ++i) {
    WriteTestFile(root + "/" + names[i], EncodePng(TestImage(i)));
  }
  return std::move(OpenDataset(root, Split::kPretraining)->dataset);
}

TEST(ClassesTest, NumberedAsTheTrainingImages) {
  const std::vector<std::string> train = {"ant", "bee", "cat"};
  const auto dataset = NumberedAs(train, Folder({"bee/0.png", "cat/1.png", "dog/2.png", "3.png"}));
  EXPECT_THAT(dataset->classes(), ElementsAre("ant", "bee", "cat", "dog"));
  std::vector<int> labels;
  for (int i = 0; i < 4; ++i) labels.push_back(dataset->Label(i));
  EXPECT_THAT(labels, ElementsAre(-1, 1, 2, 3));
  EXPECT_TRUE(SameImage(dataset->Image(1).value(), TestImage(0)));
  EXPECT_EQ(dataset->File(1).value(), EncodePng(TestImage(0)));
}

TEST(ClassesTest, ClassesWithoutImages) {
  EXPECT_THAT(EmptyClassesNote(*Folder({"a/0.png", "b/1.png"})), IsEmpty());
  const std::string root = TestFolder("tar");
  const auto note = [&](const std::vector<std::string>& labels) {
    std::string archive;
    for (size_t i = 0; i < labels.size(); ++i) {
      archive += TarEntry(std::to_string(i) + ".png", EncodePng(TestImage(i)));
      archive += TarEntry(std::to_string(i) + ".cls", labels[i]);
    }
    WriteTestFile(root + "/a.tar", archive + TarEnd());
    return EmptyClassesNote(*OpenDataset(root + "/a.tar", Split::kPretraining)->dataset);
  };
  EXPECT_THAT(note({"1", "0", "2"}), IsEmpty());
  EXPECT_THAT(note({"1", "2", "3"}), AllOf(HasSubstr("class 0,"), HasSubstr("from 0")));
  EXPECT_THAT(note({"0", "9"}), AllOf(HasSubstr("1, 2, 3, 4, 5 or 3 others"), HasSubstr("of 10")));
}

}  // namespace
}  // namespace data
