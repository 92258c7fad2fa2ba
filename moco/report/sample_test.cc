#include "moco/report/sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/encode.h"
#include "data/test_images.h"
#include "moco/report/image_features.h"
#include "moco/report/run.h"
#include "tensors/npy.h"

namespace report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kImages = 40;  // of two classes

void WriteMatrix(const std::string& path, const std::vector<std::vector<float>>& rows) {
  auto writer = tensors::NpyWriter::Open(path, tensors::NpyType::kFloat16,
                                         static_cast<int64_t>(rows[0].size()), 0);
  ASSERT_TRUE(writer.ok()) << writer.status();
  for (const auto& row : rows) ASSERT_TRUE((*writer)->Append(row.data(), 1).ok());
  ASSERT_TRUE((*writer)->Sync().ok());
}

// A run with a sample of all its images, whose features show the class only at the end.
Run MakeRun() {
  const std::string folder = data::TestFolder("images");
  Run run;
  run.path = data::TestFolder("run");
  run.settings.program = "//moco:pretrain";
  run.flags = {{"data", folder}};
  std::string list = "index,file\n";
  std::vector<std::vector<float>> start, now;
  for (int i = 0; i < kImages; ++i) {
    const bool second = i >= kImages / 2;
    const std::string file =
        absl::StrCat(folder, "/", second ? "b" : "a", "/", i / 10, i % 10, ".png");
    data::WriteTestFile(file, data::EncodePng(data::TestImage(i, 16, 16)));
    absl::StrAppend(&list, i, ",", file, "\n");
    const float angle = 0.01f * i + (second ? 2 : 0);
    now.push_back({std::cos(angle), std::sin(angle), 0});
    start.push_back({std::cos(i * 2.4f), std::sin(i * 2.4f), 0});
  }
  const std::string place = absl::StrCat(run.path, "/", kSampleFolder, "/");
  data::WriteTestFile(place + kSampleImages, list);
  WriteMatrix(place + kSampleStart, start);
  WriteMatrix(place + kSampleNow, now);
  return run;
}

size_t Count(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(SampleTest, MapAndNeighboursNowAndAtTheStart) {
  const FeatureSections shown = ShowSample(MakeRun(), nullptr);
  EXPECT_THAT(shown.section, HasSubstr("Nearest neighbours"));
  EXPECT_THAT(shown.section, HasSubstr("at the start"));
  EXPECT_EQ(Count(shown.section, "<tr>"), 24u);
  // Now, all six neighbours of the twelve images are of their class; at the start not all are.
  const size_t same = Count(shown.section, "<td class=\"same\">");
  EXPECT_GE(same, 72u);
  EXPECT_LT(same, 144u);
  ASSERT_EQ(shown.data.size(), 1u);
  const nlohmann::json& map = shown.data[0].second;
  EXPECT_EQ(map["x"].size(), size_t{kImages});
  EXPECT_EQ(map["classes"].size(), 2u);
  // The clusters are the classes.
  for (int i = 1; i < kImages; ++i) {
    EXPECT_EQ(map["clusters"][i] == map["clusters"][0], i < kImages / 2) << i;
  }
}

TEST(SampleTest, WhatIsMissingIsSaid) {
  report::Run run = MakeRun();
  run.flags["data"] = "/nowhere";
  FeatureSections shown = ShowSample(run, nullptr);
  EXPECT_THAT(shown.section, HasSubstr("/nowhere"));
  EXPECT_THAT(shown.section, Not(HasSubstr("<img")));
  EXPECT_EQ(shown.data.size(), 1u);
  const std::string place = absl::StrCat(run.path, "/", kSampleFolder, "/");
  data::WriteTestFile(place + kSampleImages, "index,file\n0,x\n");
  EXPECT_THAT(ShowSample(run, nullptr).section, HasSubstr("40 rows"));
  data::WriteTestFile(place + kSampleNow, "cut");
  EXPECT_THAT(ShowSample(run, nullptr).section, HasSubstr("now.npy"));
  run.path = "/nowhere";
  EXPECT_THAT(ShowSample(run, nullptr).section, HasSubstr("kept no features"));
  run.settings.program = "//lincls:lincls";
  EXPECT_EQ(ShowSample(run, nullptr).section, "");
}

TEST(SampleTest, FeaturesMustBeFinite) {
  const report::Run run = MakeRun();
  std::vector<std::vector<float>> rows(kImages, {1, 0, 0});
  rows[7][1] = std::numeric_limits<float>::quiet_NaN();
  WriteMatrix(absl::StrCat(run.path, "/", kSampleFolder, "/", kSampleNow), rows);
  EXPECT_THAT(ShowSample(run, nullptr).section, HasSubstr("row 7"));
}

}  // namespace
}  // namespace report
