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

TEST(ClassesTest, OnlyOneSplitHasThem) {
  const auto check = [](const std::vector<std::string>& train,
                        const std::vector<std::string>& val) {
    return CheckSameClasses(*NumberedAs(train, Folder({train[0] + "/0.png"})),
                            *NumberedAs(val, Folder({val[0] + "/0.png"})));
  };
  EXPECT_TRUE(check({"a", "b"}, {"b", "a"}).ok());
  const absl::Status train = check({"a", "b", "c"}, {"b"});
  EXPECT_EQ(train.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(train.message()),
              HasSubstr("only the training images have the classes 'a', 'c';"));
  EXPECT_THAT(std::string(check({"a", "b"}, {"b", "d"}).message()),
              AllOf(HasSubstr("training images have the class 'a'"),
                    HasSubstr("validation images have the class 'd'")));
}

}  // namespace
}  // namespace data
