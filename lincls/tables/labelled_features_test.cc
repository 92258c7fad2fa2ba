#include "lincls/tables/labelled_features.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/test_images.h"
#include "tensors/npy.h"

namespace lincls {
namespace {

using data::WriteTestFile;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A table of rows 0 1, 2 3, ... for the images of a list.
std::string WriteTable(const std::string& path, int64_t rows, const std::string& list,
                       float last = 0) {
  auto writer = tensors::NpyWriter::Open(path + ".npy", tensors::NpyType::kFloat32, 2, 0).value();
  std::vector<float> values(2 * rows);
  for (int64_t i = 0; i < 2 * rows; ++i) values[i] = static_cast<float>(i);
  values.back() += last;
  EXPECT_TRUE(writer->Append(values.data(), rows).ok());
  EXPECT_TRUE(writer->Sync().ok());
  WriteTestFile(path + ".csv", list);
  return path + ".npy";
}

void ExpectRefused(const absl::Status& status, const std::string& message) {
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(message));
}

TEST(LabelledFeatures, RowsWithoutALabelAreLeftOut) {
  const std::string path =
      WriteTable(data::TestFolder("rows") + "/x", 5, "file,label\na,1\nb,\nc,0\nd,2\ne,\n");
  const auto table = OpenFiniteFeatures(path);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(ClassesOf(**table, **table), 3);
  const auto labelled = LabelledRowsOf(*table, 3);
  ASSERT_TRUE(labelled.ok()) << labelled.status();
  EXPECT_TRUE(labelled->labels.equal(at::tensor(std::vector<int64_t>{1, 0, 2})));
  EXPECT_TRUE(
      labelled->features.Rows(0, 3).equal(at::tensor({0.f, 1.f, 4.f, 5.f, 6.f, 7.f}).view({3, 2})));
  ExpectRefused(LabelledRowsOf(*table, 4).status(), "x.npy' has 3 images with a label");

  const at::Tensor all = at::arange(10, at::kFloat).view({5, 2});
  const moco::FeatureRows rows = RowsOf(*table);
  EXPECT_TRUE(rows.Rows(0, 5).equal(all));
  const at::Tensor index = at::tensor(std::vector<int64_t>{4, 1, 2, 2, 0});
  EXPECT_TRUE(rows.Rows(index).equal(all.index_select(0, index)));
}

TEST(LabelledFeatures, AValueThatIsNotFiniteIsNamed) {
  std::string list = "file,label\n";
  for (int i = 0; i < 5000; ++i) absl::StrAppend(&list, i, ".png,0\n");  // more than a block
  const std::string path = WriteTable(data::TestFolder("nan") + "/x", 5000, list,
                                      std::numeric_limits<float>::infinity());
  ExpectRefused(OpenFiniteFeatures(path).status(), "row 4999, of '4999.png', holds inf");
}

TEST(LabelledFeatures, AListGivesOtherLabels) {
  const std::string folder = data::TestFolder("list");
  const auto table =
      OpenFiniteFeatures(WriteTable(folder + "/x", 3, "file,label\na,0\nb,1\nc,1\n")).value();
  const auto take = [&](const std::string& list) {
    WriteTestFile(folder + "/labels.csv", list);
    return TakeLabels(folder + "/labels.csv", *table);
  };
  EXPECT_TRUE(take("file,label\nc,5\na,2\n").ok());
  EXPECT_THAT(table->labels, ElementsAre(2, -1, 5));
  table->classes = {"cat", "7", "ship"};
  EXPECT_TRUE(take("file,label\nc,ship\na,0\nb,7\n").ok());
  EXPECT_THAT(table->labels, ElementsAre(0, 1, 2));

  ExpectRefused(take("name,label\na,0\n"), "labels.csv' does not begin with the header file,label");
  ExpectRefused(take(""), "does not begin with the header");
  ExpectRefused(take("file,label\na\n"), "line 2: ");
  ExpectRefused(take("file,label\n\nd,0\n"), "line 3: 'd'");
  ExpectRefused(take("file,label\na,0\na,0\n"), "line 3: 'a'");
  for (const char* label : {"3", "-1", "dog", "1.0", ""}) {
    ExpectRefused(take(absl::StrCat("file,label\na,", label, "\n")),
                  absl::StrCat("line 2: '", label, "'"));
  }
  EXPECT_THAT(table->labels, ElementsAre(0, 1, 2));  // as before
  EXPECT_TRUE(absl::IsNotFound(TakeLabels(folder + "/none.csv", *table)));
}

TEST(LabelledFeatures, WhatCannotBeComparedIsNamed) {
  const std::string folder = data::TestFolder("two");
  const auto open = [&](const std::string& name) {
    return OpenFiniteFeatures(WriteTable(folder + "/" + name, 1, "file,label\na,1\n")).value();
  };
  const auto a = open("a"), b = open("b");
  EXPECT_TRUE(CheckComparable(*a, *b).ok());
  a->classes = {"cat", "ship", "frog"};
  EXPECT_TRUE(CheckComparable(*a, *b).ok());
  EXPECT_EQ(ClassesOf(*a, *b), 3);
  EXPECT_EQ(ClassesOf(*b, *a), 3);
  b->classes = {"cat", "dog", "frog"};
  ExpectRefused(CheckComparable(*a, *b), "class 1 is 'ship' there and 'dog' here");
  b->classes = {"cat", "ship"};
  ExpectRefused(CheckComparable(*a, *b), "class 2 is 'frog' there and none here");
  ExpectRefused(CheckComparable(*b, *a), "class 2 is none there and 'frog' here");
  b->classes = a->classes;
  a->checkpoint = "x.pth.tar";
  b->checkpoint = "y.pth.tar";  // it may have been moved
  a->weights = b->weights = "01234567";
  EXPECT_TRUE(CheckComparable(*a, *b).ok());
  b->weights = "01234568";
  ExpectRefused(CheckComparable(*a, *b), "different encoders, 'x.pth.tar' and 'y.pth.tar'");
}

}  // namespace
}  // namespace lincls
