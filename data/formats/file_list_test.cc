// Lists of image files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "data/dataset.h"
#include "data/encode.h"
#include "data/test_images.h"

namespace data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FileListTest : public testing::Test {
 protected:
  FileListTest() : folder_(TestFolder("data")) {
    for (int i = 0; i < 3; ++i) {
      WriteTestFile(folder_ + "/" + std::to_string(i) + ".png", EncodePng(TestImage(i)));
    }
  }
  absl::StatusOr<std::unique_ptr<Dataset>> Open(const std::string& list) {
    WriteTestFile(folder_ + "/list.csv", list);
    return Datasets()
        .Create("file_list")
        .value()
        ->Open(folder_ + "/list.csv", Split::kTraining, {});
  }
  std::string ErrorOf(const std::string& list) {
    const auto dataset = Open(list);
    EXPECT_FALSE(dataset.ok());
    EXPECT_FALSE(absl::StrContains(dataset.status().message(), "\n"));
    return std::string(dataset.status().message());
  }
  const std::string folder_;
};

TEST_F(FileListTest, LabelsAreNumbersOrNames) {
  auto dataset = Open("file,label\n2.png,10\n0.png,2\n").value();
  EXPECT_EQ(dataset->classes().size(), 11u);
  EXPECT_EQ(dataset->Label(0), 10);
  EXPECT_EQ(dataset->Label(1), 2);
  EXPECT_TRUE(SameImage(dataset->Image(0).value(), TestImage(2)));

  dataset = Open("2.png,\"dog, old\"\n" + folder_ + "/0.png,cat\n1.png , cat\r\n").value();
  EXPECT_THAT(dataset->classes(), ElementsAre("cat", "dog, old"));
  EXPECT_EQ(dataset->Label(0), 1);
  EXPECT_EQ(dataset->Label(2), 0);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(SameImage(dataset->Image(i).value(), TestImage(std::vector{2, 0, 1}[i])));
  }

  dataset = Open("2.png\n1.png\n").value();
  EXPECT_THAT(dataset->classes(), IsEmpty());
  EXPECT_EQ(dataset->Label(0), -1);
}

TEST_F(FileListTest, ErrorsNameTheLine) {
  const std::string path = "'" + folder_ + "/list.csv'";
  EXPECT_THAT(ErrorOf(""), HasSubstr(path + " names no images"));
  EXPECT_THAT(ErrorOf("file\n"), HasSubstr(path + " names no images"));
  EXPECT_THAT(ErrorOf("1.png\n\nx,1\n"),
              HasSubstr(path + " line 3: 'x,1' does not begin with an image's name"));
  EXPECT_THAT(ErrorOf("1.png,1\n2.png\n"), HasSubstr(path + " line 2: '2.png' has no label"));
  EXPECT_THAT(ErrorOf("1.png\n2.png,1\n"), HasSubstr("line 2: '2.png,1' has a label"));
  EXPECT_THAT(ErrorOf("1.png,1,2\n"), HasSubstr("line 1: '1.png,1,2' has more than"));
  EXPECT_THAT(ErrorOf("\"1.png\n"), HasSubstr("line 1: a quoted field does not end"));
  EXPECT_THAT(ErrorOf("\"1.png\"x\n"), HasSubstr("line 1: a quoted field does not end"));
}

}  // namespace
}  // namespace data
