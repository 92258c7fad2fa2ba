// CIFAR's pickles: as their publisher and torchvision leave them, and wrong in every way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/dataset.h"
#include "data/test_images.h"
#include "tensors/dtype.h"
#include "tensors/pickle.h"

namespace data {
namespace {

using tensors::pickle::Writer;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int64_t kPixels = 3072;

// A dict of one array and lists of labels.
struct Batch {
  std::string dtype = "uint8";
  std::vector<int64_t> sizes;
  std::string pixels;
  std::vector<std::pair<std::string, std::vector<int64_t>>> lists;
};

std::string Pickle(const Batch& batch) {
  Writer w(3);
  w.BeginDict();
  w.Text("data");
  w.BeginArray(*tensors::FindDType(&tensors::DType::name, batch.dtype), batch.sizes,
               batch.pixels.size());
  std::string bytes = w.Flush() + batch.pixels;
  w.EndArray();
  for (const auto& [key, labels] : batch.lists) {
    w.Text(key);
    w.BeginList();
    for (const int64_t label : labels) w.Int(label);
    w.EndList();
  }
  w.EndDict();
  return bytes + w.Finish();
}

std::string Names(const std::string& key, int count) {
  Writer w;
  w.BeginDict();
  w.Text(key);
  w.BeginList();
  for (int i = 0; i < count; ++i) w.Text(absl::StrCat("class ", i));
  w.EndList();
  w.EndDict();
  return w.Finish();
}

// One image whose bytes are `value`.
Batch One(char value, std::vector<std::pair<std::string, std::vector<int64_t>>> lists) {
  return {"uint8", {1, kPixels}, std::string(kPixels, value), std::move(lists)};
}

std::string ErrorOf(const std::string& path) {
  const auto opened = OpenDataset(path, Split::kTraining);
  EXPECT_FALSE(opened.ok());
  EXPECT_FALSE(absl::StrContains(opened.status().message(), "\n"));
  return std::string(opened.status().message());
}

TEST(CifarTest, PicklesFromTheFolderAbove) {
  const std::string root = TestFolder("data"), folder = root + "/cifar-10-batches-py";
  for (int i = 1; i <= 5; ++i) {
    WriteTestFile(absl::StrCat(folder, "/data_batch_", i),
                  Pickle(One(static_cast<char>(i), {{"labels", {i}}})));
  }
  WriteTestFile(folder + "/test_batch", Pickle(One('t', {{"labels", {9}}})));
  WriteTestFile(folder + "/batches.meta", Names("label_names", 10));
  WriteTestFile(root + "/cifar-10-python.tar.gz", "what was fetched");
  for (const std::string& place : {root, folder}) {
    const auto train = OpenLabelledDataset(place, Split::kTraining);
    ASSERT_TRUE(train.ok()) << train.status();
    EXPECT_EQ(train->format, "cifar10");
    EXPECT_EQ(train->place, folder);
    ASSERT_EQ(train->dataset->size(), 5);
    EXPECT_EQ(train->dataset->Label(3), 4);
    EXPECT_EQ(train->dataset->classes()[4], "class 4");
    EXPECT_EQ(train->dataset->Image(3)->at<cv::Vec3b>(31, 31), cv::Vec3b(4, 4, 4));
    EXPECT_EQ(train->dataset->Name(3), folder + "/data_batch_4:0");
    EXPECT_EQ(OpenDataset(place, Split::kValidation)->dataset->Label(0), 9);
  }
  std::filesystem::copy(folder, root + "/cifar-10-batches-bin");
  EXPECT_THAT(ErrorOf(root),
              AllOf(HasSubstr("cifar-10-batches-py'"), HasSubstr("cifar-10-batches-bin'")));
}

TEST(CifarTest, FineAndCoarseLabels) {
  const std::string root = TestFolder("data");
  const auto write = [&](const std::string& name, int64_t fine, int64_t coarse) {
    WriteTestFile(absl::StrCat(root, "/cifar-100-python/", name),
                  Pickle(One('x', {{"coarse_labels", {coarse}}, {"fine_labels", {fine}}})));
  };
  write("train", 99, 19);
  write("test", 3, 0);
  // Folders of these names are no CIFAR-100.
  EXPECT_FALSE(OpenDataset(root, Split::kTraining).ok());
  WriteTestFile(root + "/cifar-100-python/meta", Names("fine_label_names", 100));
  EXPECT_EQ(OpenDataset(root, Split::kTraining)->dataset->Label(0), 99);
  EXPECT_THAT(OpenDataset(root, Split::kTraining, "cifar100:labels=coarse").status().message(),
              HasSubstr("'coarse_label_names'"));
  WriteTestFile(root + "/cifar-100-python/meta", Names("coarse_label_names", 20));
  const auto coarse = OpenDataset(root, Split::kTraining, "cifar100:labels=coarse");
  ASSERT_TRUE(coarse.ok()) << coarse.status();
  EXPECT_EQ(coarse->dataset->Label(0), 19);
  EXPECT_EQ(coarse->dataset->classes().size(), 20u);
  write("train", 100, 19);
  EXPECT_THAT(ErrorOf(root), AllOf(HasSubstr("train'"), HasSubstr("'fine_labels', entry 0")));
}

TEST(CifarTest, WhatIsWrongWithAPickle) {
  const std::string root = TestFolder("data");
  const auto error = [&](const std::string& pickle) {
    for (int i = 1; i <= 5; ++i) WriteTestFile(absl::StrCat(root, "/data_batch_", i), pickle);
    WriteTestFile(root + "/test_batch", pickle);
    const std::string message = ErrorOf(root);
    EXPECT_THAT(message, HasSubstr("'" + root + "/data_batch_1'"));
    return message;
  };
  const Batch good = One('x', {{"labels", {1}}});
  const std::string whole = Pickle(good);
  EXPECT_THAT(error(""), HasSubstr("truncated"));
  EXPECT_THAT(error(whole.substr(0, whole.size() / 2)), HasSubstr("truncated"));
  EXPECT_THAT(error("]."), HasSubstr("a dict"));
  EXPECT_THAT(error("}."), HasSubstr("'data'"));
  // os.system("true"), which nobody calls.
  EXPECT_THAT(error(absl::StrCat("cos\nsystem\n", absl::string_view("X\x04\0\0\0true\x85R.", 12))),
              HasSubstr("a dict"));
  Batch other = good;
  other.dtype = "int8";
  EXPECT_THAT(error(Pickle(other)), HasSubstr("uint8"));
  other = good;
  other.sizes = {kPixels, 1};
  EXPECT_THAT(error(Pickle(other)), HasSubstr("3072 values for each image"));
  other = good;
  other.lists = {};
  EXPECT_THAT(error(Pickle(other)), HasSubstr("no list 'labels'"));
  other.lists = {{"labels", {1, 2}}};
  EXPECT_THAT(error(Pickle(other)), HasSubstr("2 labels for 1 images"));
  for (const int64_t label : {-1, 10, 300}) {
    other.lists = {{"labels", {label}}};
    EXPECT_THAT(error(Pickle(other)), AllOf(HasSubstr("entry 0"), HasSubstr("0 to 9")));
  }
}

}  // namespace
}  // namespace data
