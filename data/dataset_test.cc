// Which format is taken, and where the splits are.

#include "data/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/encode.h"
#include "data/test_images.h"

namespace data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

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
  WriteTestFile(root + "/a.xyz", "x");
  EXPECT_THAT(ErrorOf(root + "/a.xyz", Split::kPretraining),
              AllOf(HasSubstr("a.xyz"), HasSubstr(".tar"), HasSubstr(".pack"), HasSubstr(".csv"),
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

// Writes a small image under each of the names, in a new folder.
std::string Tree(const std::vector<std::string>& names) {
  static int trees = 0;
  const std::string root = TestFolder(absl::StrCat("tree", trees++));
  for (size_t i = 0; i < names.size(); ++i) WriteTestFile(root + "/" + names[i], Png(i));
  return root;
}

// Hugging Face's, Roboflow's and Kaggle's names.
TEST(OpenDatasetTest, NamesOfSplitsInCommonUse) {
  for (const char* val : {"val", "validation", "valid", "dev", "Validation"}) {
    const std::string root =
        Tree({"train/a/1.png", "train/b/2.png", "test/a/3.png", absl::StrCat(val, "/a/4.png")});
    const auto opened = OpenDataset(root, Split::kValidation).value();
    EXPECT_EQ(opened.place, absl::StrCat(root, "/", val));
    EXPECT_THAT(opened.notes, IsEmpty());
  }
  const std::string root = Tree({"Training/a/1.png", "Testing/a/3.png"});
  EXPECT_EQ(OpenDataset(root, Split::kPretraining)->place, root + "/Training");
  const auto opened = OpenDataset(root, Split::kValidation).value();
  EXPECT_EQ(opened.place, root + "/Testing");
  EXPECT_THAT(opened.notes, ElementsAre(AllOf(HasSubstr("Testing"), HasSubstr("no val"))));
}

TEST(OpenDatasetTest, TwoFoldersForOneSplitAreAskedAbout) {
  const std::string root = Tree({"train/a/1.png", "val/a/2.png", "valid/a/3.png"});
  EXPECT_THAT(ErrorOf(root, Split::kValidation),
              AllOf(HasSubstr("/val'"), HasSubstr("/valid'"), HasSubstr("--val")));
  EXPECT_EQ(OpenDataset({root, root + "/valid"}, Split::kValidation)->place, root + "/valid");
  // A link for other tools is the same folder.
  const std::string linked = Tree({"train/a/1.png", "val/a/2.png"});
  std::filesystem::create_directory_symlink("val", linked + "/validation");
  EXPECT_TRUE(OpenDataset(linked, Split::kValidation).ok());
}

TEST(OpenDatasetTest, AClassMayBeCalledAsASplitIs) {
  const std::string root = Tree({"bus/1.png", "car/2.png", "train/3.png"});
  for (const Split split : {Split::kPretraining, Split::kTraining}) {
    EXPECT_THAT(ErrorOf(root, split), AllOf(HasSubstr("/train'"), HasSubstr("'bus', 'car'"),
                                            HasSubstr("--data"), HasSubstr("splits=false")));
  }
  EXPECT_THAT(ErrorOf(Tree({"bus/1.png", "car/2.png", "val/3.png"}), Split::kPretraining),
              AllOf(HasSubstr("/val'"), HasSubstr("splits=false")));
  const auto all = OpenDataset(root, Split::kPretraining, "image_folder:splits=false").value();
  EXPECT_THAT(all.dataset->classes(), ElementsAre("bus", "car", "train"));
  EXPECT_EQ(OpenDataset(root + "/train", Split::kPretraining)->dataset->size(), 1);
  // Folders without images are no classes, and beside two splits nothing is unclear.
  const std::string notes = Tree({"train/a/1.png"});
  WriteTestFile(notes + "/notes/x.txt", "x");
  EXPECT_EQ(OpenDataset(notes, Split::kPretraining)->place, notes + "/train");
  const std::string splits = Tree({"train/a/1.png", "val/a/2.png", "raw/x/3.png", "4.png"});
  const auto opened = OpenDataset(splits, Split::kTraining).value();
  EXPECT_EQ(opened.place, splits + "/train");
  EXPECT_THAT(opened.notes,
              ElementsAre(AllOf(HasSubstr("1 images"), HasSubstr("4.png")), HasSubstr("'raw'")));
  // No part for training: everything is, and it is said.
  EXPECT_THAT(OpenDataset(Tree({"val/1.png", "test/2.png"}), Split::kPretraining)->notes,
              ElementsAre(HasSubstr("/val'")));
}

// As several data sets of Kaggle's and COCO have them.
TEST(OpenDatasetTest, FoldersThatHaveTheNameOfASplitInTheirsAreAskedAbout) {
  for (const auto& [train, test] : std::vector<std::pair<std::string, std::string>>{
           {"training_set", "test_set"}, {"seg_train", "seg_test"}, {"train2017", "val2017"}}) {
    const std::string root =
        Tree({train + "/a/1.png", train + "/b/2.png", test + "/a/3.png", "seg_pred/4.png"});
    for (const Split split : {Split::kPretraining, Split::kTraining, Split::kValidation}) {
      EXPECT_THAT(ErrorOf(root, split), AllOf(HasSubstr(absl::StrCat("--data=", root, "/", train)),
                                              HasSubstr(absl::StrCat("--val=", root, "/", test)),
                                              HasSubstr("image_folder:splits=false")));
    }
    const auto all = OpenDataset(root, Split::kPretraining, "image_folder:splits=false").value();
    EXPECT_EQ(all.dataset->classes().size(), 3);
    const DataSource two = {root + "/" + train, root + "/" + test};
    EXPECT_THAT(OpenDataset(two, Split::kTraining)->dataset->classes(), ElementsAre("a", "b"));
    EXPECT_THAT(OpenDataset(two, Split::kValidation)->dataset->classes(), ElementsAre("a"));
  }
  // One of both, a folder without images, or a list of all images.
  EXPECT_TRUE(OpenDataset(Tree({"steam train/1.png", "car/2.png"}), Split::kPretraining).ok());
  const std::string notes = Tree({"steam train/1.png", "car/2.png"});
  WriteTestFile(notes + "/test notes/x.txt", "x");
  EXPECT_TRUE(OpenDataset(notes, Split::kPretraining).ok());
  const std::string listed = Tree({"train_images/1.png", "test_images/2.png"});
  WriteTestFile(listed + "/metadata.csv", "file_name,label\ntrain_images/1.png,a\n");
  EXPECT_EQ(OpenDataset(listed, Split::kPretraining)->dataset->size(), 1);
}

TEST(OpenDatasetTest, ValidationImagesMayBeAnywhere) {
  const std::string root = Tree({"a/1.png", "b/2.png"}), other = Tree({"a/1.png", "b/2.png"});
  for (const auto& [path, split] : {std::pair(root, Split::kPretraining),
                                    {root, Split::kTraining},
                                    {other, Split::kValidation}}) {
    const auto opened = OpenLabelledDataset({root, other}, split);
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(opened->place, path);
  }
  EXPECT_THAT(ErrorOf(root, Split::kTraining), HasSubstr("--val"));
  // The other place may have parts, too.
  const std::string parts = Tree({"train/a/1.png", "val/a/2.png"});
  EXPECT_EQ(OpenDataset({root, parts}, Split::kValidation)->place, parts + "/val");
  EXPECT_EQ(OpenDataset({parts, root}, Split::kTraining)->place, parts + "/train");
  EXPECT_EQ(OpenDataset({parts, root}, Split::kValidation)->place, root);
  WriteTestFile(other + "/v.tar", TarEntry("a/3.png", Png(3)) + TarEnd());
  EXPECT_EQ(OpenDataset({root, other + "/v.tar"}, Split::kValidation)->format, "tar");
  EXPECT_FALSE(OpenDataset({root, other + "/nowhere"}, Split::kValidation).ok());
}

TEST(OpenDatasetTest, ShardsOfASplitAreToldByTheirNames) {
  const std::string root = TestFolder("data");
  const auto shard = [&](const std::string& name) {
    WriteTestFile(root + "/" + name, TarEntry(name + ".png", Png(1)) + TarEnd());
  };
  shard("imagenet-train-000.tar");
  shard("imagenet-train-001.tar");
  const auto size = [&](Split split) {
    const auto opened = OpenDataset(root, split);
    return opened.ok() ? opened->dataset->size() : -1;
  };
  EXPECT_EQ(size(Split::kPretraining), 2);
  EXPECT_EQ(size(Split::kValidation), -1);
  shard("imagenet-validation-000.tar");
  shard("imagenet_test_7.tar");
  EXPECT_EQ(size(Split::kPretraining), 2);
  EXPECT_EQ(size(Split::kTraining), 2);
  EXPECT_EQ(size(Split::kValidation), 1);
  EXPECT_EQ(OpenDataset(root, Split::kValidation)->place, root + "/imagenet-validation-000.tar");
  EXPECT_EQ(OpenDataset(root, Split::kValidation, "tar")->dataset->size(), 1);
  shard("latest.tar");  // has no split's name
  EXPECT_THAT(OpenDataset(root, Split::kTraining)->notes, ElementsAre(HasSubstr("'latest.tar'")));
  std::filesystem::remove(root + "/imagenet-validation-000.tar");
  std::filesystem::remove(root + "/imagenet_test_7.tar");
  EXPECT_THAT(ErrorOf(root, Split::kPretraining),
              AllOf(HasSubstr("imagenet-train"), HasSubstr("latest.tar"), HasSubstr("--data")));
}

TEST(OpenDatasetTest, OptionsOfAFormatBelongToIt) {
  const std::string root = Tree({"a/1.png", "b/2.png"});
  const auto open = [&](const std::string& format, const std::string& key) {
    const DataSource source{root, "", format, {{key, "false"}}};
    return OpenDataset(source, Split::kPretraining);
  };
  EXPECT_EQ(open("", "splits")->format, "image_folder:splits=false");
  EXPECT_THAT(std::string(open("", "image_key").status().message()),
              AllOf(HasSubstr("--image-key"), HasSubstr("image_folder")));
  EXPECT_THAT(std::string(open("image_folder:splits=true", "splits").status().message()),
              HasSubstr("--splits"));
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
