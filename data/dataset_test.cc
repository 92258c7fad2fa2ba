// Which format is taken, and where the splits are.

#include "data/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/encode.h"
#include "data/test_images.h"

namespace data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Png(int seed) { return EncodePng(TestImage(seed)); }

std::string ErrorOf(const std::string& path, Split split, const std::string& format = "") {
  const auto opened = OpenDataset(path, split, format);
  EXPECT_FALSE(opened.ok());
  return std::string(opened.status().message());
}

TEST(OpenDatasetTest, SaysWhatItLookedFor) {
  const std::string root = TestFolder("data");
  EXPECT_THAT(ErrorOf(root, Split::kPretraining), HasSubstr("holds no images"));
  EXPECT_THAT(ErrorOf(root + "/nowhere", Split::kPretraining), HasSubstr("No such file"));
  WriteTestFile(root + "/a.zip", "x");
  EXPECT_THAT(ErrorOf(root + "/a.zip", Split::kPretraining),
              HasSubstr("is neither a folder nor a .tar, .pack or .csv file"));
  EXPECT_THAT(ErrorOf(root, Split::kTraining), HasSubstr("/train' is not there"));
  EXPECT_THAT(ErrorOf(root, Split::kPretraining, "tarr"), HasSubstr("did you mean 'tar'?"));
  WriteTestFile(root + "/1.png", Png(1));
  EXPECT_EQ(OpenDataset(root, Split::kPretraining)->format, "flat_folder");
  WriteTestFile(root + "/shard-0.tar", TarEntry("2.png", Png(2)) + TarEnd());
  EXPECT_THAT(ErrorOf(root, Split::kPretraining),
              HasSubstr("looks like flat_folder and like tar; keep them in folders of their own"));
  EXPECT_EQ(OpenDataset(root, Split::kPretraining, "tar")->dataset->size(), 1);
}

TEST(OpenDatasetTest, SplitsAreFoldersOrFiles) {
  const std::string root = TestFolder("data");
  WriteTestFile(root + "/train/cat/1.png", Png(1));
  WriteTestFile(root + "/train/dog/2.png", Png(2));
  WriteTestFile(root + "/test.tar", TarEntry("cat/3.png", Png(3)) + TarEnd());
  const auto pretraining = OpenDataset(root, Split::kPretraining).value();
  EXPECT_EQ(pretraining.place, root + "/train");
  EXPECT_EQ(pretraining.format, "image_folder");
  EXPECT_EQ(OpenDataset(root, Split::kTraining)->place, root + "/train");
  const auto validation = OpenDataset(root, Split::kValidation).value();
  EXPECT_EQ(validation.place, root + "/test.tar");
  EXPECT_EQ(validation.format, "tar");
  WriteTestFile(root + "/val/cat/4.png", Png(4));
  WriteTestFile(root + "/unlabeled/5.png", Png(5));
  EXPECT_EQ(OpenDataset(root, Split::kValidation)->place, root + "/val");
  EXPECT_EQ(OpenDataset(root, Split::kPretraining)->place, root + "/unlabeled");
  EXPECT_EQ(OpenDataset(root, Split::kPretraining)->format, "flat_folder");
}

TEST(OpenDatasetTest, LabelledDataHasALabelForEachImageAndTwoClasses) {
  const std::string root = TestFolder("data");
  WriteTestFile(root + "/train/cat/1.png", Png(1));
  EXPECT_THAT(std::string(OpenLabelledDataset(root, Split::kTraining).status().message()),
              HasSubstr("holds the one class 'cat'"));
  WriteTestFile(root + "/train/dog/2.png", Png(2));
  EXPECT_THAT(OpenLabelledDataset(root, Split::kTraining)->dataset->classes(),
              ElementsAre("cat", "dog"));
  WriteTestFile(root + "/train/3.png", Png(3));
  EXPECT_THAT(std::string(OpenLabelledDataset(root, Split::kTraining).status().message()),
              HasSubstr("train/3.png' has no label"));
}

TEST(PlaceTest, RangesOfNumbers) {
  EXPECT_THAT(ExpandRanges("a-{08..11}.tar"),
              ElementsAre("a-08.tar", "a-09.tar", "a-10.tar", "a-11.tar"));
  EXPECT_THAT(ExpandRanges("{0..1}/{7..8}"), ElementsAre("0/7", "1/7", "0/8", "1/8"));
  for (const char* other : {"a.tar", "a-{3..1}.tar", "{a..b}", "{1..}", "{..}", "{1.2}", "}{",
                            "{0..99999999}", "{1..2", "{0..99999999999999999999}"}) {
    EXPECT_THAT(ExpandRanges(other), ElementsAre(other));
  }
}

}  // namespace
}  // namespace data
