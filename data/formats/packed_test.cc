// Packed data sets: everything is kept, and every damaged byte is noticed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "data/dataset.h"
#include "data/encode.h"
#include "data/formats/pack.h"
#include "data/test_images.h"

namespace data {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

class PackedTest : public testing::Test {
 protected:
  // Two splits of two classes.
  PackedTest() : root_(TestFolder("data")) {
    for (const char* split : {"train", "val"}) {
      for (int i = 0; i < 4; ++i) {
        WriteTestFile(absl::StrCat(root_, "/", split, i < 2 ? "/cat/" : "/dog/", i, ".png"),
                      EncodePng(TestImage(i, 5 + i, 7)));
      }
    }
  }

  absl::Status Pack(Split split, bool decoded, const std::string& name) {
    const auto opened = OpenDataset(root_, split).value();
    return WritePack(*opened.dataset, split, decoded, root_ + "/packed/" + name, [](int64_t) {});
  }

  const std::string root_;
};

TEST_F(PackedTest, KeepsImagesLabelsNamesAndSplit) {
  std::filesystem::create_directory(root_ + "/packed");
  for (const bool decoded : {false, true}) {
    ASSERT_TRUE(Pack(Split::kTraining, decoded, "train.pack").ok());
    ASSERT_TRUE(Pack(Split::kValidation, decoded, "val.pack").ok());
    for (const Split split : {Split::kPretraining, Split::kTraining, Split::kValidation}) {
      const auto opened = OpenDataset(root_ + "/packed", split).value();
      const Dataset& d = *opened.dataset;
      EXPECT_EQ(opened.format, "packed");
      EXPECT_THAT(d.classes(), ElementsAre("cat", "dog"));
      ASSERT_EQ(d.size(), 4);
      for (int i = 0; i < 4; ++i) {
        EXPECT_TRUE(SameImage(d.Image(i).value(), TestImage(i, 5 + i, 7)));
        EXPECT_EQ(d.Label(i), i / 2);
        EXPECT_THAT(d.Name(i), EndsWith(absl::StrCat(i < 2 ? "cat/" : "dog/", i, ".png")));
        EXPECT_EQ(d.File(i).ok(), !decoded);
      }
    }
    std::filesystem::rename(root_ + "/packed/val.pack", root_ + "/packed/train.pack");
    EXPECT_THAT(std::string(OpenDataset(root_ + "/packed", Split::kTraining).status().message()),
                HasSubstr("was packed from validation images, not from training images"));
  }
}

// Decoded pixels keep their values, which are mapped when the pack is read.
TEST_F(PackedTest, KeepsValuesOfSixteenBits) {
  const std::string wide = TestFolder("wide");
  WriteTestFile(wide + "/1.pgm", std::string("P5 2 1 65535\n\x01\x02\xFF\xF0", 17));
  std::filesystem::create_directory(wide + "/packed");
  const DecodeOptions raw{.channels = 1, .raw = true};
  const auto opened = OpenDataset(wide, Split::kPretraining, "flat_folder", raw).value();
  const std::string pack = wide + "/packed/train.pack";
  ASSERT_TRUE(WritePack(*opened.dataset, Split::kPretraining, true, pack, [](int64_t) {}).ok());
  const auto read = [&](const DecodeOptions& decode, const std::string& range) {
    const DataSource source{.path = pack, .decode = decode, .range = range};
    return OpenDataset(source, Split::kPretraining)->dataset->Image(0).value();
  };
  EXPECT_EQ(read(raw, "").at<uint16_t>(0, 1), 0xFFF0);
  EXPECT_EQ(read({.channels = 1}, "").at<float>(0, 0), 0x0102 / 65535.0f);
  EXPECT_EQ(read({.channels = 1}, "0:516").at<float>(0, 0), 0.5f);
}

TEST_F(PackedTest, KeepsWhatIsUsualForViews) {
  const std::string numbered = TestFolder("numbered");
  WriteTestFile(numbered + "/unlabeled/0.png", EncodePng(TestImage(1)));
  const auto opened = OpenDataset(numbered, Split::kPretraining).value();
  const std::string path = numbered + "/all.pack";
  ASSERT_TRUE(WritePack(*opened.dataset, Split::kPretraining, false, path, [](int64_t) {}).ok());
  const ViewDefaults usual = opened.dataset->views();
  const ViewDefaults kept = OpenDataset(path, Split::kPretraining)->dataset->views();
  EXPECT_EQ(kept.size, usual.size);
  EXPECT_EQ(kept.resize, usual.resize);
  EXPECT_EQ(kept.normalize, usual.normalize);
  EXPECT_EQ(OpenDataset(path, Split::kPretraining)->dataset->Label(0), -1);
}

TEST_F(PackedTest, AnImageThatCannotBeReadLeavesNoFile) {
  std::filesystem::create_directory(root_ + "/packed");
  std::filesystem::remove(root_ + "/train/cat/1.png");
  std::filesystem::create_symlink("nowhere", root_ + "/train/cat/1.png");
  EXPECT_THAT(std::string(Pack(Split::kTraining, false, "train.pack").message()),
              HasSubstr("train/cat/1.png': No such file"));
  EXPECT_TRUE(std::filesystem::is_empty(root_ + "/packed"));
}

// Bytes of every part of the file, changed; and lengths that it may be cut to.
TEST_F(PackedTest, DamagedBytesAreNoticed) {
  std::filesystem::create_directory(root_ + "/packed");
  for (const bool decoded : {false, true}) {
    ASSERT_TRUE(Pack(Split::kTraining, decoded, "train.pack").ok());
    const std::string path = root_ + "/packed/train.pack";
    const std::string whole = base::ReadFile(path).value();
    const auto noticed = [&] {
      const auto opened = OpenDataset(path, Split::kPretraining);
      if (!opened.ok()) {
        EXPECT_EQ(opened.status().code(), absl::StatusCode::kDataLoss) << opened.status();
        EXPECT_FALSE(absl::StrContains(opened.status().message(), "\n"));
        return true;
      }
      int damaged = 0;
      for (int64_t i = 0; i < opened->dataset->size(); ++i) {
        damaged += opened->dataset->Image(i).status().code() == absl::StatusCode::kDataLoss;
      }
      return damaged == 1;
    };
    for (size_t i = 0; i < whole.size(); i += 1 + i % 3) {
      std::string bytes = whole;
      bytes[i] ^= 1 << i % 8;
      WriteTestFile(path, bytes);
      ASSERT_TRUE(noticed()) << "byte " << i << " of " << whole.size();
    }
    for (size_t size = 0; size < whole.size(); size += 11) {
      WriteTestFile(path, whole.substr(0, size));
      ASSERT_TRUE(noticed()) << "cut to " << size;
    }
    WriteTestFile(path, "x" + whole);
    EXPECT_TRUE(noticed());
  }
}

}  // namespace
}  // namespace data
