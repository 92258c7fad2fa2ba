// Which format is taken, and where the splits are.

#include "data/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/encode.h"
#include "data/test_images.h"

namespace data {
namespace {

using ::testing::AllOf;
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
              AllOf(HasSubstr("a.zip"), HasSubstr(".tar"), HasSubstr(".pack"), HasSubstr(".csv"),
                    HasSubstr(".test_a or .test_b")));
  EXPECT_THAT(ErrorOf(root, Split::kTraining), HasSubstr("/train'"));
  EXPECT_THAT(ErrorOf(root, Split::kPretraining, "tarr"), HasSubstr("did you mean 'tar'?"));
  WriteTestFile(root + "/1.png", Png(1));
  EXPECT_EQ(OpenDataset(root, Split::kPretraining)->format, "flat_folder");
  WriteTestFile(root + "/shard-0.tar", TarEntry("2.png", Png(2)) + TarEnd());
  EXPECT_THAT(ErrorOf(root, Split::kPretraining),
              AllOf(HasSubstr("flat_folder"), HasSubstr("tar"), HasSubstr("--dataset")));
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
              HasSubstr("only the class 'cat'"));
  WriteTestFile(root + "/train/dog/2.png", Png(2));
  EXPECT_THAT(OpenLabelledDataset(root, Split::kTraining)->dataset->classes(),
              ElementsAre("cat", "dog"));
  WriteTestFile(root + "/train/3.png", Png(3));
  EXPECT_THAT(std::string(OpenLabelledDataset(root, Split::kTraining).status().message()),
              HasSubstr("train/3.png' has no label"));
}

// A format of files that only this test knows.
class TestFormat : public Format {
 public:
  std::vector<std::string> FileEndings() const override { return {".test_a", ".test_b"}; }
  absl::StatusOr<std::unique_ptr<Dataset>> Open(const std::string& path, Split,
                                                const DecodeOptions& decode) const override {
    return Datasets().Create("tar").value()->Open(path, Split::kTraining, decode);
  }
};

absl::StatusOr<std::unique_ptr<Format>> MakeTestFormat(const registry::NoOptions&) {
  return std::make_unique<TestFormat>();
}

REGISTER_PLUGIN(Datasets, "test_format", "for this test", registry::NoOptions, MakeTestFormat);

TEST(OpenDatasetTest, FilesAreFoundByTheEndingsThatFormatsRegister) {
  const std::string root = TestFolder("data");
  const std::string tar = TarEntry("cat/3.png", Png(3)) + TarEnd();
  WriteTestFile(root + "/train.test_b", tar);
  EXPECT_EQ(OpenDataset(root, Split::kTraining)->place, root + "/train.test_b");
  EXPECT_EQ(OpenDataset(root, Split::kTraining)->format, "test_format");
  EXPECT_EQ(OpenDataset(root + "/train.test_b", Split::kPretraining)->format, "test_format");
  // Two files for one split: neither is taken in silence.
  WriteTestFile(root + "/train.tar", tar);
  EXPECT_THAT(ErrorOf(root, Split::kTraining),
              AllOf(HasSubstr("train.tar"), HasSubstr("train.test_b"), HasSubstr("--dataset")));
  EXPECT_EQ(OpenDataset(root, Split::kTraining, "tar")->place, root + "/train.tar");
  // A folder comes first, except for a format of files that is asked for.
  WriteTestFile(root + "/train/cat/1.png", Png(1));
  EXPECT_EQ(OpenDataset(root, Split::kTraining)->place, root + "/train");
  EXPECT_EQ(OpenDataset(root, Split::kTraining, "tar")->place, root + "/train.tar");
  EXPECT_EQ(OpenDataset(root, Split::kTraining, "image_folder")->place, root + "/train");
}

TEST(LocationTest, RangesOfNumbers) {
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
