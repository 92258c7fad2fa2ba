// Lists of image files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "data/dataset.h"
#include "data/encode.h"
#include "data/test_images.h"

namespace data {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FileListTest : public testing::Test {
 protected:
  FileListTest() : folder_(TestFolder("data")) {
    for (int i = 0; i < 3; ++i) WriteImage(std::to_string(i) + ".png", i);
  }
  void WriteImage(const std::string& name, int seed) {
    WriteTestFile(folder_ + "/" + name, EncodePng(TestImage(seed)));
  }
  absl::StatusOr<std::unique_ptr<Dataset>> Open(const std::string& list,
                                                const std::string& options = "") {
    WriteTestFile(folder_ + "/list.csv", list);
    return Datasets()
        .Create("file_list" + options)
        .value()
        ->Open(folder_ + "/list.csv", Split::kTraining, {});
  }
  std::string ErrorOf(const std::string& list, const std::string& options = "") {
    const auto dataset = Open(list, options);
    EXPECT_FALSE(dataset.ok());
    EXPECT_EQ(dataset.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_FALSE(absl::StrContains(dataset.status().message(), "\n"));
    return std::string(dataset.status().message());
  }
  // Why the labels, not the images, of a list cannot be used.
  std::string LabelErrorOf(const std::string& list, const std::string& options = "") {
    const auto dataset = Open(list, options);
    if (!dataset.ok()) return std::string(dataset.status().message());
    EXPECT_EQ((*dataset)->LabelStatus().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_FALSE(OpenLabelledDataset(folder_ + "/list.csv", Split::kTraining).ok());
    return std::string((*dataset)->LabelStatus().message());
  }
  // The class of each image.
  static std::string ClassesOf(const Dataset& dataset) {
    std::vector<std::string> classes;
    for (int64_t i = 0; i < dataset.size(); ++i) {
      const int label = dataset.Label(i);
      classes.push_back(label < 0 ? "-" : dataset.classes()[label]);
    }
    return absl::StrJoin(classes, " ");
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

  dataset = Open("id;breed;0.5\n2;tensor(1);x\n0;0.0;y\n", ":columns=id breed").value();
  EXPECT_EQ(ClassesOf(*dataset), "1 0");
  EXPECT_TRUE(SameImage(dataset->Image(1).value(), TestImage(0)));
  dataset = Open("filename, cat, dog\n1.png, 0, 1\n2.png, 1, 0\n").value();
  EXPECT_EQ(ClassesOf(*dataset), "dog cat");
}

// Pretraining, which asks for no labels, reads all of these.
TEST_F(FileListTest, LabelsThatAreNoneNameTheLine) {
  const std::string path = "'" + folder_ + "/list.csv'";
  EXPECT_THAT(LabelErrorOf("0.png,1\n1.png\n"),
              AllOf(HasSubstr(path + " line 2"), HasSubstr("'1.png' has no label")));
  EXPECT_EQ(ClassesOf(**Open("0.png,1\n1.png\n2.png,-1\n")), "1 - -");
  EXPECT_THAT(LabelErrorOf("file,label\n0.png,0\n1.png,0.25\n"),
              AllOf(HasSubstr("line 3"), HasSubstr("'0.25'"), HasSubstr("fraction")));
  EXPECT_THAT(LabelErrorOf("0.png,cat\n1.png,dog\n0.png,owl\n"),
              AllOf(HasSubstr("line 3"), HasSubstr("'owl'"), HasSubstr("'cat' in line 1")));
  EXPECT_EQ(ClassesOf(**Open("0.png,cat\n1.png,dog\n0.png,owl\n")), "- dog");
  EXPECT_THAT(LabelErrorOf("file,a,b\n0.png,x,y\n"),
              AllOf(HasSubstr("states no labels"), HasSubstr("--columns=FILE,LABEL")));
  EXPECT_THAT(LabelErrorOf("filename,cat,dog\n0.png,1,0\n1.png,1,1\n"),
              AllOf(HasSubstr("line 3"), HasSubstr("'cat' and 'dog'")));
  std::string captions = "file_name,text\n";
  for (int i = 0; i < 12; ++i) {
    WriteImage(absl::StrCat(i, ".png"), i);
    absl::StrAppend(&captions, i, ".png,picture ", i, "\n");
  }
  EXPECT_THAT(LabelErrorOf(captions), AllOf(HasSubstr("'text'"), HasSubstr("no classes")));
  EXPECT_EQ((*Open(captions, ":columns=file_name text"))->classes().size(), 12u);
}

TEST_F(FileListTest, ErrorsNameTheLine) {
  const std::string path = "'" + folder_ + "/list.csv'";
  EXPECT_THAT(ErrorOf(""), HasSubstr(path + " names no images"));
  EXPECT_THAT(ErrorOf("file\n"), HasSubstr(path + " names no images"));
  EXPECT_THAT(ErrorOf("a,b\nc,d\n"), HasSubstr(path + " names no images"));
  EXPECT_THAT(ErrorOf("1.png\n\nx,1\n"), HasSubstr(path + " line 3"));
  EXPECT_THAT(ErrorOf("1.png,1\n,2\n"), HasSubstr(path + " line 2"));
  EXPECT_THAT(ErrorOf("file,label\n1.png,1\n7.png,2\n"),
              AllOf(HasSubstr(path + " line 3"), HasSubstr("'7.png'"), HasSubstr(folder_)));
  EXPECT_THAT(ErrorOf("file,label\n1.png,1\n0.png,2,3\n"), HasSubstr(path + " line 3"));
  EXPECT_THAT(ErrorOf("\"1.png\n"), HasSubstr("line 1: a quoted field does not end"));
  EXPECT_THAT(ErrorOf("1.png,1\n", ":columns=file"), HasSubstr("--columns="));
  EXPECT_THAT(ErrorOf("1.png,1\n", ":root=/nowhere"), HasSubstr("/nowhere/"));
}

TEST_F(FileListTest, NamesOfOtherEncodingsAreThoseOfFiles) {
  WriteImage("ch\xEAne.png", 1);
  EXPECT_EQ(Open("file,label\nch\xEAne.png,a\n0.png,b\n").value()->size(), 2);
  EXPECT_THAT(ErrorOf("file,label\n0.png,b\n\xE9t\xE9.png,a\n"),
              AllOf(HasSubstr("list.csv' line 3"), HasSubstr("UTF-8")));
}

TEST_F(FileListTest, AnImageIsUsedOnce) {
  const auto dataset = Open("file,class,xmin\n1.png,cat,3\n1.png,cat,9\n0.png,dog,4\n").value();
  EXPECT_EQ(ClassesOf(*dataset), "cat dog");
  EXPECT_THAT(dataset->notes(), Contains(HasSubstr("1 lines name an image again")));
}

// A list may name arrays, by their whole names, or without an ending where there is no image.
TEST_F(FileListTest, ArraysThatAreNamed) {
  for (const char* name : {"1.npy", "a.npy", "b.npy"}) {
    WriteTestFile(absl::StrCat(folder_, "/", name), NpyFile("|u1", "(2, 3)", "\7\7\7\7\7\7"));
  }
  const auto dataset = Open("file,label\n1.npy,cat\n0.png,dog\n").value();
  EXPECT_EQ(ClassesOf(*dataset), "cat dog");
  EXPECT_EQ(dataset->Image(0)->ptr(1)[8], 7);
  EXPECT_EQ(Open("a.npy,cat\nb.npy,dog\n").value()->size(), 2);
  EXPECT_EQ(Open("a.npy,0\n0.png,1\n").value()->size(), 2);
  const auto stems = Open("id,label\na,cat\n1,dog\n").value();
  EXPECT_THAT(stems->Name(0), ::testing::EndsWith("/a.npy"));
  EXPECT_THAT(stems->Name(1), ::testing::EndsWith("/1.png"));
}

// One list for all splits, as MedMNIST's and many of Kaggle's.
TEST_F(FileListTest, AColumnOfSplits) {
  WriteTestFile(folder_ + "/all.csv", "TRAIN,0.png,1\nVAL,1.png,0\nTEST,2.png,1\nTRAIN,2.png,0\n");
  EXPECT_EQ(OpenDataset(folder_ + "/all.csv", Split::kPretraining)->dataset->size(), 2);
  const auto train = OpenLabelledDataset(folder_ + "/all.csv", Split::kTraining);
  ASSERT_TRUE(train.ok()) << train.status();
  EXPECT_EQ(ClassesOf(*train->dataset), "1 0");
  EXPECT_EQ(OpenDataset(folder_ + "/all.csv", Split::kValidation)->dataset->Name(0),
            folder_ + "/1.png");
  WriteTestFile(folder_ + "/all.csv", "filepaths,labels,data set\n0.png,a,train\n1.png,b,test\n");
  EXPECT_EQ(OpenDataset(folder_ + "/all.csv", Split::kValidation)->dataset->Name(0),
            folder_ + "/1.png");
  WriteTestFile(folder_ + "/all.csv", "file,split\n0.png,train\n1.png,unlabeled\n2.png,eval\n");
  EXPECT_EQ(OpenDataset(folder_ + "/all.csv", Split::kPretraining)->dataset->Name(0),
            folder_ + "/1.png");
  EXPECT_EQ(OpenDataset(folder_ + "/all.csv", Split::kTraining)->dataset->Name(0),
            folder_ + "/0.png");
  EXPECT_EQ(OpenDataset(folder_ + "/all.csv", Split::kValidation)->dataset->Name(0),
            folder_ + "/2.png");
  WriteTestFile(folder_ + "/all.csv", "file,split\n0.png,train\n1.png,vla\n");
  for (const Split split : {Split::kPretraining, Split::kTraining, Split::kValidation}) {
    const absl::Status status = OpenDataset(folder_ + "/all.csv", split).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("line 3"), HasSubstr("'vla'")));
  }
  WriteTestFile(folder_ + "/all.csv", "file,label\n0.png,a\n1.png,b\n");
  const absl::Status status = OpenDataset(folder_ + "/all.csv", Split::kValidation).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("all.csv'"), HasSubstr("split"), HasSubstr("--val=")));
}

TEST_F(FileListTest, MetadataAboveTheSplits) {
  for (const char* name : {"train/0.png", "train/1.png", "val/0.png"}) WriteImage(name, 0);
  WriteTestFile(folder_ + "/metadata.csv",
                "file_name,label\ntrain/1.png,cat\nval/0.png,dog\ntrain/0.png,dog\n");
  const auto train = OpenLabelledDataset(folder_, Split::kTraining);
  ASSERT_TRUE(train.ok()) << train.status();
  EXPECT_EQ(ClassesOf(*train->dataset), "cat dog");
  EXPECT_EQ(train->dataset->Name(0), folder_ + "/train/1.png");
  EXPECT_EQ(OpenDataset(folder_, Split::kValidation)->dataset->size(), 1);
}

TEST_F(FileListTest, OtherFormsAreNamed) {
  for (const char* file : {"train-00000-of-00001.parquet", "data.mdb", "pathmnist.npz", "x.zip",
                           "train/data-00000-of-00001.arrow", "train/x.tfrecord-00000-of-00010"}) {
    const std::string root = TestFolder("data");
    WriteTestFile(root + "/" + file, "x");
    const absl::Status status = OpenDataset(root, Split::kPretraining).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(root + "/" + file + "'"),
                      AnyOf(HasSubstr("is not read"), HasSubstr("give this file"))));
    EXPECT_FALSE(absl::StrContains(status.message(), "\n"));
  }
  for (const char* file : {"a.parquet", "data.mdb", "shard.00000.mds", "b.arrow", "index.json"}) {
    const std::string root = TestFolder("data");
    WriteTestFile(root + "/" + file, "x");
    EXPECT_THAT(std::string(OpenDataset(root, Split::kPretraining).status().message()),
                AllOf(HasSubstr(file), HasSubstr("//tools:to_tar")));
  }
  EXPECT_THAT(std::string(OpenDataset(folder_ + "/x.csv", Split::kTraining).status().message()),
              HasSubstr("x.csv"));
}

// Hugging Face's imagefolder: the list is in the folder.
TEST_F(FileListTest, AFolderWithMetadata) {
  for (const char* split : {"train", "val"}) {
    WriteImage(absl::StrCat(split, "/images/0.png"), 0);
    WriteImage(absl::StrCat(split, "/images/1.png"), 1);
  }
  WriteTestFile(folder_ + "/train/metadata.csv",
                "file_name,caption,label\nimages/0.png,\"a, b\",cat\nimages/1.png,c,dog\n");
  WriteTestFile(folder_ + "/val/metadata.jsonl",
                "{\"file_name\": \"images/1.png\", \"label\": \"cat\"}\n"
                "{\"file_name\": \"images/0.png\", \"label\": \"dog\"}\n");
  const auto train = OpenLabelledDataset(folder_, Split::kTraining);
  ASSERT_TRUE(train.ok()) << train.status();
  EXPECT_EQ(train->format, "file_list");
  EXPECT_EQ(ClassesOf(*train->dataset), "cat dog");
  const auto val = OpenLabelledDataset(folder_, Split::kValidation);
  ASSERT_TRUE(val.ok()) << val.status();
  EXPECT_EQ(ClassesOf(*val->dataset), "cat dog");
  EXPECT_EQ(val->dataset->Name(0), folder_ + "/val/images/1.png");
  EXPECT_EQ(OpenDataset(folder_, Split::kPretraining)->dataset->size(), 2);
  EXPECT_EQ(OpenDataset(folder_ + "/train", Split::kPretraining)->format, "file_list");
  WriteImage("train/left_out.png", 2);
  EXPECT_THAT(OpenDataset(folder_, Split::kTraining)->notes,
              Contains(HasSubstr("does not name 1 images")));
  // Another program's file of the same name.
  WriteTestFile(folder_ + "/train/metadata.csv", "key,value\nauthor,me\n");
  EXPECT_EQ(OpenDataset(folder_, Split::kTraining)->format, "image_folder");
}

}  // namespace
}  // namespace data
