#include "tools/selection/labelled.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/test_images.h"
#include "tools/selection/test_features.h"

namespace selection {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LabelledTest : public testing::Test {
 protected:
  LabelledTest()
      : root_(data::TestFolder("labelled")), table_(TestTable("table", TestRows(8, 2, 8, 1, 1))) {}

  void Write(const std::string& name, const std::string& contents) {
    data::WriteTestFile(root_ + "/" + name, contents);
  }
  std::string Path(const std::string& name) { return absl::StrCat(root_, "/", name); }

  // The rows, such as "1 4 ".
  std::string Found(const std::string& folder, const std::vector<std::string>& lists = {}) {
    const auto labelled = FindLabelled(table_, folder, lists);
    EXPECT_TRUE(labelled.ok()) << labelled.status();
    reasons_ = labelled->reasons;
    std::string rows;
    for (size_t i = 0; i < labelled->rows.size(); ++i) {
      if (labelled->rows[i]) absl::StrAppend(&rows, i, " ");
    }
    return rows;
  }
  std::string Error(const std::string& folder, const std::vector<std::string>& lists = {}) {
    const auto labelled = FindLabelled(table_, folder, lists);
    EXPECT_FALSE(labelled.ok());
    EXPECT_FALSE(absl::StrContains(labelled.status().message(), "\n"));
    return std::string(labelled.status().message());
  }

  const std::string root_;
  lincls::FeatureTable table_;
  std::vector<std::string> reasons_;
};

TEST_F(LabelledTest, NothingIsLabelledWithoutAReason) {
  EXPECT_EQ(Found(""), "");
  EXPECT_EQ(Found(root_), "");
  EXPECT_THAT(reasons_, IsEmpty());
}

TEST_F(LabelledTest, LabelsOfTheTableAndRequestsWithLabelsOrWithoutCount) {
  table_.labels[7] = 0;
  Write("request_01.csv", "filename\n1.png\n4.png\n");
  Write("label_01.pt", data::LabelTensor({3, 3}));
  Write("request_2.csv", "0.png,\n99.png\n");
  Write("strata_01.csv", "file,stratum,cluster,energy\n5.png,\"cluster 0, edge\",0,1\n");
  EXPECT_EQ(Found(root_), "0 1 4 7 ");
  EXPECT_THAT(reasons_,
              ElementsAre("1 have a label in the features' table",
                          absl::StrCat("2 are in '", Path("request_01.csv"), "'"),
                          AllOf(HasSubstr(absl::StrCat("1 are in '", Path("request_2.csv"), "'")),
                                HasSubstr("no labels"), HasSubstr("(1 of its"))));
  EXPECT_EQ(Found(""), "7 ");
}

TEST_F(LabelledTest, ListsCountOnceHoweverTheyAreNamed) {
  Write("request_01.csv", "1.png\n");
  Write("mine.csv", "image\n2.png\n3.png\n");
  EXPECT_EQ(Found(root_, {Path("mine.csv"), root_ + "/./request_01.csv"}), "1 2 3 ");
  EXPECT_EQ(reasons_.size(), 2);
}

TEST_F(LabelledTest, ErrorsNameTheFileAndTheLine) {
  Write("a.csv", "1.png\n");
  Write("b.csv", "filename\n2.png\n1.png\n");
  EXPECT_THAT(Error("", {Path("a.csv"), Path("b.csv")}),
              HasSubstr(absl::StrCat("'", Path("b.csv"), "' line 3: '1.png' is already in '",
                                     Path("a.csv"), "' line 1")));
  Write("header.csv", "image\n2.png\nindex\n");
  EXPECT_THAT(Error("", {Path("header.csv")}),
              HasSubstr(absl::StrCat("'", Path("header.csv"), "' line 3: 'index'")));
  Write("fields.csv", "file,label\n2.png,3\n");
  EXPECT_THAT(Error("", {Path("fields.csv")}), HasSubstr("fields.csv' line 2: "));
  Write("other.csv", "98.png\n99.png\n");
  EXPECT_THAT(Error("", {Path("other.csv")}),
              HasSubstr(absl::StrCat("'", Path("other.csv"),
                                     "': none of its 2 images is among the features")));
  EXPECT_THAT(Error("", {Path("nowhere.csv")}), HasSubstr("nowhere.csv"));
  EXPECT_THAT(Error(Path("nowhere")), HasSubstr("nowhere"));

  Write("request_01.csv", "1.png\n2.png\n");
  Write("label_01.pt", data::LabelTensor({3}));
  EXPECT_THAT(Error(root_), HasSubstr("names 2 images, but '" + Path("label_01.pt") + "' has 1"));
  Write("label_01.pt", "no tensor");
  EXPECT_THAT(Error(root_), HasSubstr(Path("label_01.pt")));
  Write("label_01.pt", data::LabelTensor({3, 4}));
  Write("label_02.pt", data::LabelTensor({3, 4}));
  EXPECT_THAT(Error(root_), HasSubstr(Path("request_02.csv")));
}

}  // namespace
}  // namespace selection
