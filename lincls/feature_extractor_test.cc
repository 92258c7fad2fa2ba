#include "lincls/feature_extractor.h"

#include <ATen/Context.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "data/encode.h"
#include "data/test_images.h"
#include "lincls/encoders/frozen_backbone.h"
#include "lincls/tables/feature_table.h"
#include "moco/backbones/backbone.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/checkpoints/facts.h"
#include "moco/checkpoints/state_dict.h"

namespace lincls {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kSpec[] = "resnet_small:width=4,blocks=1,stages=2,stem=cifar,channels=3";
constexpr char kViews[] = "resize:size=8|center_crop:size=8|to_tensor|normalize";

class FeatureExtractorTest : public testing::Test {
 protected:
  FeatureExtractorTest() : folder_(data::TestFolder("extractor")) {
    WriteCheckpoint(0);
    for (int i = 0; i < 6; ++i) WriteImage(i);
    options_.source.path = folder_ + "/images";
    options_.checkpoint = folder_ + "/encoder.pth.tar";
    options_.batch_size = 2;
  }

  // An encoder that has not been trained; `added` to one of its weights.
  void WriteCheckpoint(float added, float variance = 1) {
    at::manual_seed(1);
    const auto backbone = moco::Backbones().Create(kSpec, moco::BackboneContext{}).value();
    backbone->Initialize();
    moco::Checkpoint checkpoint;
    checkpoint.arch = "resnet_small";
    checkpoint.state = moco::GetState(*backbone, kPretrained);
    checkpoint.state[0].second.detach().flatten()[0] += added;
    for (auto& [name, tensor] : checkpoint.state) {
      if (name == absl::StrCat(kPretrained, "bn1.running_var")) tensor.fill_(variance);
    }
    checkpoint.facts.settings = {{moco::kArchSetting, kSpec}, {moco::kEvalViewsSetting, kViews}};
    ASSERT_TRUE(moco::WriteCheckpoint(folder_ + "/encoder.pth.tar", checkpoint).ok());
  }
  void WriteImage(int i) {
    data::WriteTestFile(Image(i), data::EncodePng(data::TestImage(i, 12, 12)));
  }
  std::string Image(int i) const { return absl::StrCat(folder_, "/images/", i, ".png"); }

  // Into the folder `name`, with what is there already.
  absl::Status Extract(const std::string& name) {
    const auto extractor = FeatureExtractor::Create(options_);
    if (!extractor.ok()) return extractor.status();
    FeatureFolderOptions options = (*extractor)->FolderOptions();
    options.seconds_between_syncs = 0;
    const auto features = FeatureFolder::Open(absl::StrCat(folder_, "/", name), options);
    if (!features.ok()) return features.status();
    return (*extractor)->Run(**features);
  }
  FeatureTable Table(const std::string& name) const {
    auto table = OpenFeatures(absl::StrCat(folder_, "/", name));
    EXPECT_TRUE(table.ok()) << table.status();
    return *std::move(table);
  }
  std::string Bytes(const std::string& file) const {
    return base::ReadFile(absl::StrCat(folder_, "/", file)).value();
  }
  std::string Refused() {
    const auto extractor = FeatureExtractor::Create(options_);
    EXPECT_TRUE(absl::IsInvalidArgument(extractor.status())) << extractor.status();
    return std::string(extractor.status().message());
  }

  const std::string folder_;
  ExtractionOptions options_;
};

std::vector<float> Row(const FeatureTable& table, int64_t row) {
  const int64_t width = table.features.columns();
  std::vector<float> values(width);
  table.features.Read(row, 1, values.data());
  return values;
}

TEST_F(FeatureExtractorTest, EachImageHasItsRow) {
  ASSERT_TRUE(Extract("all").ok());
  const FeatureTable table = Table("all");
  EXPECT_THAT(table.files, ElementsAre("0.png", "1.png", "2.png", "3.png", "4.png", "5.png"));
  EXPECT_EQ(table.arch, kSpec);
  EXPECT_EQ(table.eval_views.substr(0, 13), "resize:size=8");
  EXPECT_NE(Row(table, 2), Row(table, 3));
}

TEST_F(FeatureExtractorTest, Bf16IsASettingOfTheFolder) {
  ASSERT_TRUE(Extract("exact").ok());
  options_.bf16 = true;
  ASSERT_TRUE(Extract("rounded").ok());
  EXPECT_NE(Row(Table("exact"), 0), Row(Table("rounded"), 0));
  EXPECT_FALSE(Extract("exact").ok()) << "one folder holds features of one precision";
}

TEST_F(FeatureExtractorTest, OtherImagesOfTheSameNumberAreRefused) {
  ASSERT_TRUE(Extract("all").ok());
  EXPECT_TRUE(Extract("all").ok());
  ASSERT_EQ(std::rename(Image(5).c_str(), Image(9).c_str()), 0);
  EXPECT_TRUE(absl::IsInvalidArgument(Extract("all")));
}

// A folder of an earlier version does not name its images.
TEST_F(FeatureExtractorTest, AFolderWithoutADigestGoesOn) {
  ASSERT_TRUE(Extract("all").ok());
  const std::string file = folder_ + "/all/features.json";
  auto json = nlohmann::ordered_json::parse(Bytes("all/features.json"));
  ASSERT_EQ(json.erase("image_names"), 1u);
  ASSERT_TRUE(base::WriteFileAtomically(file, json.dump()).ok());
  EXPECT_TRUE(Extract("all").ok());
}

// The loader puts another image in the place of a damaged one.
TEST_F(FeatureExtractorTest, ADamagedImageHasNoRow) {
  ASSERT_TRUE(Extract("all").ok());
  data::WriteTestFile(Image(2), "no image");
  ASSERT_TRUE(Extract("damaged").ok());
  const FeatureTable all = Table("all"), damaged = Table("damaged");
  ASSERT_THAT(damaged.files, ElementsAre("0.png", "1.png", "3.png", "4.png", "5.png"));
  for (int64_t row = 0; row < 5; ++row) {
    const std::vector<float> expected = Row(all, row < 2 ? row : row + 1), got = Row(damaged, row);
    for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-5);
  }
}

TEST_F(FeatureExtractorTest, WhatWasInterruptedContinues) {
  ASSERT_TRUE(Extract("whole").ok());
  options_.max_bad_images = 0;
  options_.loader_threads = 0;
  data::WriteTestFile(Image(3), "no image");
  EXPECT_TRUE(absl::IsDataLoss(Extract("again")));
  {
    const auto extractor = FeatureExtractor::Create(options_).value();
    EXPECT_EQ(FeatureFolder::Open(folder_ + "/again", extractor->FolderOptions()).value()->done(),
              2);
  }
  WriteImage(3);
  ASSERT_TRUE(Extract("again").ok());
  EXPECT_EQ(Bytes("again/backbone.npy"), Bytes("whole/backbone.npy"));
  EXPECT_EQ(Bytes("again/images.csv"), Bytes("whole/images.csv"));
}

TEST_F(FeatureExtractorTest, ColumnsStandBesideTheFeatures) {
  options_.columns = "disagreement, disagreement";
  options_.views = "random_resized_crop:size=8,scale_min=0.2|flip|to_tensor|normalize";
  ASSERT_TRUE(Extract("columns").ok());
  const FeatureTable table = Table("columns");
  ASSERT_EQ(table.columns.size(), 1u);
  EXPECT_EQ(table.columns.at("disagreement").size(), 6u);
}

TEST_F(FeatureExtractorTest, FeaturesThatAreNotFiniteNameTheImage) {
  WriteCheckpoint(0, /*variance=*/-1);  // weights that are finite, and features that are not
  const absl::Status status = Extract("nan");
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("'0.png'"));
}

TEST_F(FeatureExtractorTest, OtherSettingsDoNotContinueAFolder) {
  ASSERT_TRUE(Extract("settings").ok());
  options_.batch_size = 3;
  EXPECT_THAT(std::string(Extract("settings").message()), HasSubstr("batch_size"));
  options_.batch_size = 2;
  WriteCheckpoint(0.5);
  EXPECT_THAT(std::string(Extract("settings").message()), HasSubstr("weights"));
}

TEST_F(FeatureExtractorTest, WhatCannotBeDoneIsRefusedFirst) {
  options_.split = "test";
  EXPECT_THAT(Refused(), HasSubstr("'test'"));
  options_.split = "pretraining";
  options_.columns = "disagreements";
  EXPECT_THAT(Refused(), HasSubstr("did you mean 'disagreement'"));
  options_.columns = "";
  options_.features = "stage3";
  EXPECT_THAT(Refused(), HasSubstr("stage3"));
  options_.features = "backbone";
  const std::string entry = data::TarEntry("1.png", data::EncodePng(data::TestImage(1, 12, 12)));
  data::WriteTestFile(folder_ + "/twice.tar", entry + entry + data::TarEnd());
  options_.source.path = folder_ + "/twice.tar";
  EXPECT_THAT(Refused(), HasSubstr("image 0 and image 1"));
  data::WriteTestFile(
      folder_ + "/broken.tar",
      data::TarEntry("1\n.png", data::EncodePng(data::TestImage(1, 12, 12))) + data::TarEnd());
  options_.source.path = folder_ + "/broken.tar";
  EXPECT_THAT(Refused(), HasSubstr("rename"));
}

}  // namespace
}  // namespace lincls
