// CIFAR, STL-10 and IDX files: packed by gzip, and wrong in every way.
#include "data/formats/records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "data/test_images.h"

namespace data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Idx(std::vector<unsigned char> sizes, const std::string& values) {
  std::string bytes = {0, 0, 8, static_cast<char>(sizes.size())};
  for (const unsigned char size : sizes) {
    bytes += std::string{0, 0, 0, static_cast<char>(size)};
  }
  return bytes + values;
}

void Gzip(const std::string& path) {
  const std::string bytes = base::ReadFile(path).value();
  gzFile file = gzopen((path + ".gz").c_str(), "wb");
  EXPECT_EQ(gzwrite(file, bytes.data(), bytes.size()), static_cast<int>(bytes.size()));
  gzclose(file);
  std::filesystem::remove(path);
}

std::string ErrorOf(const std::string& path, Split split) {
  const auto opened = OpenDataset(path, split);
  EXPECT_FALSE(opened.ok());
  EXPECT_FALSE(absl::StrContains(opened.status().message(), "\n"));
  return std::string(opened.status().message());
}

TEST(IdxTest, PlainOrPacked) {
  const std::string root = TestFolder("data");
  WriteTestFile(root + "/train-images-idx3-ubyte", Idx({2, 2, 3}, "abcdefABCDEF"));
  WriteTestFile(root + "/train-labels-idx1-ubyte", Idx({2}, {3, 0}));
  WriteTestFile(root + "/t10k-images-idx3-ubyte", Idx({1, 2, 3}, "ghijkl"));
  WriteTestFile(root + "/t10k-labels-idx1-ubyte", Idx({1}, {5}));
  for (int packed = 0; packed < 2; ++packed) {
    const auto train = OpenDataset(root, Split::kTraining, "", {.channels = 1}).value();
    EXPECT_EQ(train.format, "idx");
    ASSERT_EQ(train.dataset->size(), 2);
    EXPECT_EQ(train.dataset->classes().size(), 6u);  // of both splits
    EXPECT_EQ(train.dataset->Label(0), 3);
    const cv::Mat image = train.dataset->Image(1).value();
    EXPECT_EQ(image.rows, 2);
    EXPECT_EQ(std::string(image.ptr<char>(), 6), "ABCDEF");
    EXPECT_EQ(OpenDataset(root, Split::kValidation)->dataset->Label(0), 5);
    for (const char* name : {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                             "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}) {
      if (packed == 0) Gzip(root + "/" + name);
    }
  }
  const std::string packed = root + "/train-images-idx3-ubyte.gz";
  std::filesystem::resize_file(packed, std::filesystem::file_size(packed) - 6);
  EXPECT_THAT(ErrorOf(root, Split::kTraining), HasSubstr("'" + packed + "' is cut or damaged"));
}

TEST(IdxTest, WhatItsHeadersSayIsChecked) {
  const std::string root = TestFolder("data");
  const auto error = [&](const std::string& images, const std::string& labels) {
    WriteTestFile(root + "/train-images-idx3-ubyte", images);
    WriteTestFile(root + "/train-labels-idx1-ubyte", labels);
    return ErrorOf(root, Split::kTraining);
  };
  EXPECT_THAT(error("", ""), HasSubstr("IDX file of bytes in 3 dimensions"));
  EXPECT_THAT(error(Idx({2}, "ab"), ""), HasSubstr("IDX file of bytes in 3 dimensions"));
  EXPECT_THAT(error(Idx({2, 1, 1}, "a"), ""),
              AllOf(HasSubstr("has 1 values"), HasSubstr("2 x 1 x 1")));
  EXPECT_THAT(error(Idx({2, 1, 1}, "abc"), ""), HasSubstr("has 3 values"));
  EXPECT_THAT(error(Idx({0, 1, 1}, ""), ""), HasSubstr("has 0 values"));
  EXPECT_THAT(error(std::string("\0\0\x8\x3", 4) + std::string(12, '\xFF'), ""),
              HasSubstr("4294967295 x 4294967295 x 4294967295"));
  EXPECT_THAT(error(Idx({2, 1, 1}, "ab"), Idx({1}, "a")), HasSubstr("has 1 labels for 2 images"));
  std::filesystem::remove(root + "/train-labels-idx1-ubyte");
  EXPECT_THAT(ErrorOf(root, Split::kTraining), HasSubstr("labels-idx1-ubyte': No such file"));
  EXPECT_EQ(OpenDataset(root, Split::kPretraining)->dataset->size(), 2);
}

// torchvision leaves MNIST/raw/ and stl10_binary/ in the folder that it is given.
TEST(IdxTest, TheFoldersAbove) {
  const std::string root = TestFolder("data");
  for (const char* set : {"FashionMNIST", "MNIST"}) {
    const std::string raw = absl::StrCat(root, "/", set, "/raw");
    WriteTestFile(raw + "/train-images-idx3-ubyte", Idx({1, 2, 3}, "abcdef"));
    WriteTestFile(raw + "/train-labels-idx1-ubyte", Idx({1}, {1}));
    WriteTestFile(raw + "/train-images-idx3-ubyte.gz", "what was fetched");
    for (const std::string& place : {raw, absl::StrCat(root, "/", set)}) {
      const auto train = OpenDataset(place, Split::kTraining);
      ASSERT_TRUE(train.ok()) << train.status();
      EXPECT_EQ(train->format, "idx");
      EXPECT_EQ(train->place, raw);
      EXPECT_EQ(OpenDataset(place, Split::kTraining, "idx")->place, raw);
    }
  }
  EXPECT_THAT(ErrorOf(root, Split::kTraining),
              AllOf(HasSubstr("FashionMNIST/raw'"), HasSubstr("/MNIST/raw'")));
}

TEST(IdxTest, OneOfEmnistsDataSets) {
  const std::string root = TestFolder("data"), raw = root + "/EMNIST/raw";
  const auto write = [&](const std::string& name, unsigned char label) {
    WriteTestFile(absl::StrCat(raw, "/emnist-", name, "-images-idx3-ubyte"),
                  Idx({1, 1, 1}, std::string(1, label)));
    WriteTestFile(absl::StrCat(raw, "/emnist-", name, "-labels-idx1-ubyte"),
                  Idx({1}, std::string(1, label)));
  };
  write("letters-train", 26);
  write("letters-test", 1);
  EXPECT_EQ(OpenDataset(root, Split::kTraining)->dataset->Label(0), 26);
  write("digits-train", 9);
  write("digits-test", 2);
  EXPECT_THAT(ErrorOf(root, Split::kTraining),
              AllOf(HasSubstr("letters"), HasSubstr("--dataset=idx:part=digits")));
  const auto test = OpenDataset(root, Split::kValidation, "idx:part=digits").value();
  EXPECT_EQ(test.dataset->Label(0), 2);
  EXPECT_EQ(test.dataset->classes().size(), 10u);
}

TEST(CifarTest, FilesLabelsAndNames) {
  const std::string root = TestFolder("data");
  const std::string image(3072, 'x');
  for (int i = 1; i <= 5; ++i) {
    WriteTestFile(absl::StrCat(root, "/data_batch_", i, ".bin"), std::string(1, i) + image);
  }
  WriteTestFile(root + "/test_batch.bin", std::string("\x9") + image);
  EXPECT_EQ(OpenDataset(root, Split::kTraining)->dataset->Name(4), root + "/data_batch_5.bin:0");
  WriteTestFile(root + "/batches.meta.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n");
  const auto test = OpenDataset(root, Split::kValidation).value();
  EXPECT_EQ(test.format, "cifar10");
  EXPECT_EQ(test.dataset->classes()[test.dataset->Label(0)], "j");
  WriteTestFile(root + "/batches.meta.txt", "a\nb\n");
  EXPECT_THAT(ErrorOf(root, Split::kTraining), HasSubstr("names 2 classes, not 10"));
  WriteTestFile(root + "/data_batch_3.bin", "\x03" + image + "\x0A" + image);
  EXPECT_THAT(
      ErrorOf(root, Split::kTraining),
      AllOf(HasSubstr("data_batch_3.bin' has the label 10 in record 1"), HasSubstr("0 to 9")));
  WriteTestFile(root + "/data_batch_3.bin", "\x03" + image + "x");
  EXPECT_THAT(ErrorOf(root, Split::kTraining), HasSubstr("data_batch_3.bin' has 3074 bytes"));
  std::filesystem::remove(root + "/data_batch_3.bin");
  EXPECT_THAT(ErrorOf(root, Split::kTraining), HasSubstr("data_batch_3.bin': No such file"));
}

TEST(Stl10Test, UnlabelledImagesAndLabels) {
  const std::string root = TestFolder("data");
  const std::string image(3 * 96 * 96, 'x');
  WriteTestFile(root + "/unlabeled_X.bin", image + image + image);
  WriteTestFile(root + "/train_X.bin", image + image);
  WriteTestFile(root + "/train_y.bin", "\x01\x0A");
  EXPECT_EQ(OpenDataset(root, Split::kPretraining)->dataset->size(), 3);
  EXPECT_EQ(OpenDataset(root, Split::kTraining)->dataset->Label(1), 9);
  for (const char* label : {"\x0B", "\xFF"}) {
    WriteTestFile(root + "/train_y.bin", std::string("\x01") + label);
    EXPECT_THAT(ErrorOf(root, Split::kTraining),
                AllOf(HasSubstr("in record 1"), HasSubstr("0 to 9")));
  }
  WriteTestFile(root + "/train_y.bin", "\x01");
  EXPECT_THAT(ErrorOf(root, Split::kTraining), HasSubstr("has 1 labels for 2 images"));
}

// Opening a pipe without a writer would wait for one.
TEST(RecordsTest, APackedPipeIsRefused) {
  const std::string path = TestFolder("data") + "/x.bin";
  ASSERT_EQ(mkfifo((path + ".gz").c_str(), 0600), 0);
  const absl::Status status = FileContents::Read(path).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("pipe"));
}

}  // namespace
}  // namespace data
