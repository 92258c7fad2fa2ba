#include "lincls/tables/feature_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "data/encode.h"
#include "data/test_images.h"
#include "tensors/npy.h"

namespace lincls {
namespace {

using data::WriteTestFile;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

void WriteMatrix(const std::string& path, int64_t rows, int64_t columns, float value = 1) {
  auto writer = tensors::NpyWriter::Open(path, tensors::NpyType::kFloat32, columns, 0).value();
  const std::vector<float> values(rows * columns, value);
  ASSERT_TRUE(writer->Append(values.data(), rows).ok());
  ASSERT_TRUE(writer->Sync().ok());
}

nlohmann::json Description() {
  return {{"data", "/d"},
          {"dataset", "tar"},
          {"split", "training"},
          {"folder", "/d/train/"},
          {"classes", {"cat", "ship"}},
          {"checkpoint", "c.pth.tar"},
          {"weights", "0123abcd"},
          {"arch", "resnet18"},
          {"eval_views", "to_tensor"},
          {"images", 4},
          {"done", 4},
          {"finished", true}};
}

void ExpectError(const std::string& path, absl::StatusCode code, const std::string& message) {
  const auto table = OpenFeatures(path);
  EXPECT_EQ(table.status().code(), code) << message << ": " << table.status();
  EXPECT_THAT(std::string(table.status().message()), HasSubstr(message));
}

TEST(FeatureTableTest, TwoFilesOfAnotherProgramAreFeatures) {
  const std::string folder = data::TestFolder("two");
  WriteMatrix(folder + "/x.npy", 3, 4);
  WriteTestFile(folder + "/x.csv",
                "label,file,energy\n1,\"a,b.png\",0.5\n,c.png,-1e3\n7,d.png,2\n");
  for (const std::string& path : {folder + "/x.npy", folder}) {
    const auto table = OpenFeatures(path);
    ASSERT_TRUE(table.ok()) << table.status();
    EXPECT_EQ(table->size(), 3);
    EXPECT_EQ(table->name, "x");
    EXPECT_EQ(table->features.columns(), 4);
    EXPECT_THAT(table->files, ElementsAre("a,b.png", "c.png", "d.png"));
    EXPECT_THAT(table->labels, ElementsAre(1, -1, 7));
    ASSERT_EQ(table->columns.size(), 1);
    EXPECT_THAT(table->columns.at("energy"), ElementsAre(0.5, -1000, 2));
    EXPECT_EQ(table->source.path, "");
    EXPECT_THAT(std::string(OpenImages(*table).status().message()), HasSubstr("where the images"));
  }
  WriteTestFile(folder + "/x.csv",
                "\xEF\xBB\xBF"
                "file\r\na\r\nb\r\nc\r\n");
  const auto table = OpenFeatures(folder);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_THAT(table->labels, ElementsAre(-1, -1, -1));
}

TEST(FeatureTableTest, AFolderIsItsBackboneOrItsOnlyMatrix) {
  const std::string folder = data::TestFolder("ours");
  ExpectError(folder, absl::StatusCode::kNotFound, "bazel run //lincls:features");
  ExpectError(folder + "/none.npy", absl::StatusCode::kNotFound, "none.npy'");
  WriteTestFile(folder + "/images.csv", "file,label\ncat/1.jpg,0\nship/2.jpg,1\n");
  WriteTestFile(folder + "/features.json", Description().dump());
  WriteMatrix(folder + "/stage1.npy", 2, 3);
  EXPECT_EQ(OpenFeatures(folder)->name, "stage1");
  WriteMatrix(folder + "/stage2.npy", 2, 3);
  ExpectError(folder, absl::StatusCode::kInvalidArgument, "holds stage1.npy, stage2.npy; give one");
  WriteMatrix(folder + "/backbone.npy", 2, 5);
  const auto table = OpenFeatures(folder);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->name, "backbone");
  EXPECT_EQ(table->features.columns(), 5);
  EXPECT_THAT(table->classes, ElementsAre("cat", "ship"));
  EXPECT_EQ(table->source.path, "/d");
  EXPECT_EQ(table->source.format, "tar");
  EXPECT_EQ(table->split, "training");
  EXPECT_EQ(table->folder, "/d/train/");
  EXPECT_EQ(table->checkpoint, "c.pth.tar");
  EXPECT_EQ(table->weights, "0123abcd");
  EXPECT_EQ(table->arch, "resnet18");
  EXPECT_EQ(table->eval_views, "to_tensor");
  EXPECT_EQ(OpenFeatures(folder + "/stage2.npy")->name, "stage2");

  std::filesystem::remove(folder + "/features.json");
  ExpectError(folder + "/stage2.npy", absl::StatusCode::kNotFound, "stage2.csv");
}

TEST(FeatureTableTest, SaysWhatIsWrongWithTheList) {
  const std::string folder = data::TestFolder("wrong"), list = folder + "/images.csv";
  WriteTestFile(folder + "/features.json", Description().dump());
  WriteMatrix(folder + "/backbone.npy", 2, 3);
  const std::pair<const char*, const char*> cases[] = {
      {"", "line 1: there is no header"},
      {"name,label\na,0\nb,1\n", "line 1: the header is 'name,label'; it must be file,label"},
      {"file,label,label\na,0,0\nb,1,0\n", "column 3 'label'"},
      {"file,,label\na,0,0\nb,1,0\n", "column 2 ''"},
      {"file,label\na,0\n", "has 2 rows, but"},
      {"file,label\na,0\nb,0\nc,0\n", "names 3 images"},
      {"file,label\na,0\n\na,1\n", "line 4: 'a' is already in line 2"},
      {"file,label\na,0\n,1\n", "line 3: there is no file"},
      {"file,label\na,0\nb,2\n", "line 3: the label '2'"},
      {"file,label\na,0\nb,-1\n", "line 3: the label '-1'"},
      {"file,label\na,0\nb,cat\n", "line 3: the label 'cat'"},
      {"file,label\na,0\nb\n", "line 3: 1 fields, where the header has 2"},
      {"file,e\na,0\nb,nan\n", "line 3: 'e' is 'nan'; it must be a finite number"},
      {"file,e\na,\nb,1\n", "line 2: 'e' is ''"},
      {"file\na\n\"b\n", "line 3: a quoted field does not end"}};
  for (const auto& [text, message] : cases) {
    WriteTestFile(list, text);
    ExpectError(folder, absl::StatusCode::kInvalidArgument, message);
    ExpectError(folder, absl::StatusCode::kInvalidArgument, list);
  }
  WriteTestFile(list, "file\n");
  WriteMatrix(folder + "/backbone.npy", 0, 3);
  ExpectError(folder, absl::StatusCode::kInvalidArgument, "names no image");
}

TEST(FeatureTableTest, FeaturesThatAreNotFinishedAreRefused) {
  const std::string folder = data::TestFolder("unfinished");
  nlohmann::json description = Description();
  description["done"] = 3;
  description["finished"] = false;
  WriteTestFile(folder + "/features.json", description.dump());
  ExpectError(folder, absl::StatusCode::kDataLoss, "3 of 4 images");
  WriteMatrix(folder + "/head.npy", 2, 3);
  WriteTestFile(folder + "/images.csv", "file\na\nb\n");
  ExpectError(folder + "/head.npy", absl::StatusCode::kDataLoss, "not finished");
  for (const char* text : {"", "[1]", "{\"finished\": ", "{\"finished\": 1}"}) {
    WriteTestFile(folder + "/features.json", text);
    ExpectError(folder, absl::StatusCode::kDataLoss, "//lincls:features");
  }
  WriteTestFile(folder + "/features.json", "{\"finished\": true, \"classes\": 3}");
  ExpectError(folder, absl::StatusCode::kDataLoss, "lacks an entry");
}

TEST(FeatureTableTest, ValuesThatAreNotFiniteAreNamed) {
  const std::string folder = data::TestFolder("finite");
  WriteMatrix(folder + "/x.npy", 3, 2);
  WriteTestFile(folder + "/x.csv", "file\na\nb\nc\n");
  const FeatureTable table = OpenFeatures(folder).value();
  std::vector<float> rows = {1, 2, 3, 4};
  EXPECT_TRUE(CheckFinite(table, 1, 2, rows.data()).ok());
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    rows[3] = bad;
    const absl::Status s = CheckFinite(table, 1, 2, rows.data());
    EXPECT_EQ(s.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(s.message()), HasSubstr("x.npy' row 2, of 'c', holds"));
  }
}

TEST(FeatureTableTest, TheImagesAreFoundAgain) {
  const std::string folder = data::TestFolder("images"), root = folder + "/data";
  for (const int i : {0, 1, 2, 10}) {
    WriteTestFile(absl::StrCat(root, "/unlabeled/", i, ".png"),
                  data::EncodePng(data::TestImage(i)));
  }
  const auto opened = data::OpenDataset(root, data::Split::kPretraining);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(CommonFolder(*opened->dataset), root + "/unlabeled/");
  WriteMatrix(folder + "/backbone.npy", 2, 3);
  WriteTestFile(folder + "/images.csv", "file\n1.png\n10.png\n");
  nlohmann::json description = Description();
  description["data"] = root;
  description["dataset"] = opened->format;
  description["split"] = "pretraining";
  description["folder"] = root + "/unlabeled/";
  WriteTestFile(folder + "/features.json", description.dump());
  const FeatureTable table = OpenFeatures(folder).value();
  const auto images = OpenImages(table);
  ASSERT_TRUE(images.ok()) << images.status();
  EXPECT_THAT(images->indices, ElementsAre(1, 3));
  EXPECT_TRUE(data::SameImage(images->dataset->Image(3).value(), data::TestImage(10)));
  std::filesystem::remove(root + "/unlabeled/1.png");
  EXPECT_THAT(std::string(OpenImages(table).status().message()),
              HasSubstr("unlabeled/1.png' is not in"));
}

// Pictures on pages and sheets, as of a microscope's five channels.
TEST(FeatureTableTest, ImagesOfManyChannelsCanBeShown) {
  const std::string folder = data::TestFolder("images"), root = folder + "/data";
  const std::string file = data::NpyFile("<u2", "(8, 8, 5)", std::string(640, '\1'));
  for (const char* name : {"a", "b"}) WriteTestFile(absl::StrCat(root, "/x/", name, ".npy"), file);
  WriteMatrix(folder + "/backbone.npy", 2, 3);
  WriteTestFile(folder + "/images.csv", "file\nx/a.npy\nx/b.npy\n");
  nlohmann::json description = Description();
  description["data"] = root;
  description["dataset"] = "image_folder";
  description["split"] = "pretraining";
  description["folder"] = root + "/";
  description["arch"] = "resnet18:stem=imagenet,channels=5";
  for (const char* range : {"", "0:257", "0:257,0:257,0:257,0:257,0:514"}) {
    description["range"] = range;
    WriteTestFile(folder + "/features.json", description.dump());
    const auto images = OpenImages(OpenFeatures(folder).value());
    ASSERT_TRUE(images.ok()) << images.status();
    const auto image = images->dataset->Image(1);
    ASSERT_TRUE(image.ok()) << image.status();
    EXPECT_EQ(image->channels(), 5);
  }
}

TEST(FeatureTableTest, TheCommonFolderIsThatOfEveryImageOrArchive) {
  const std::string folder = data::TestFolder("common");
  const std::string png = data::EncodePng(data::TestImage(1));
  WriteTestFile(folder + "/one/cat/1.png", png);
  auto opened = data::OpenDataset(folder + "/one", data::Split::kPretraining);
  EXPECT_EQ(CommonFolder(*opened->dataset), folder + "/one/cat/");
  WriteTestFile(folder + "/one/car/1.png", png);
  opened = data::OpenDataset(folder + "/one", data::Split::kPretraining);
  EXPECT_EQ(CommonFolder(*opened->dataset), folder + "/one/");
  WriteTestFile(folder + "/two/train.tar", data::TarEntry("cat/1.png", png) +
                                               data::TarEntry("cat/2.png", png) + data::TarEnd());
  opened = data::OpenDataset(folder + "/two", data::Split::kPretraining);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(CommonFolder(*opened->dataset), folder + "/two/");
}

}  // namespace
}  // namespace lincls
