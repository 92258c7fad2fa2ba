#include "moco/report/classes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/encode.h"
#include "data/test_images.h"
#include "moco/report/confusion_matrix.h"
#include "moco/report/predictions.h"
#include "moco/report/run.h"

namespace report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A run of lincls on val/ of two classes with 4 images each, of which `cat` is right once.
Run MakeRun() {
  const std::string folder = data::TestFolder("images");
  Run run;
  run.path = data::TestFolder("run");
  run.name = "run";
  run.settings.program = "//lincls:lincls";
  run.flags = {{"data", folder}};
  std::vector<Prediction> predictions;
  for (const char* label : {"cat", "dog"}) {
    for (int i = 0; i < 4; ++i) {
      const std::string file = absl::StrCat(folder, "/val/", label, "/", i, ".png");
      data::WriteTestFile(file, data::EncodePng(data::TestImage(i, 20, 20)));
      const bool right = std::string(label) == "dog" || i == 0;
      predictions.push_back({file, label, right ? label : "dog", 0.5 + 0.1 * i});
    }
  }
  data::WriteTestFile(absl::StrCat(run.path, "/", kPredictionsFile), PredictionsCsv(predictions));
  return run;
}

size_t Count(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(ClassesTest, MatrixAccuraciesAndPictures) {
  const report::Run run = MakeRun();
  const std::string html = ClassesSection(run, /*pictures=*/true);
  EXPECT_THAT(html, HasSubstr("Of 8 validation images, the best classifier gives 5"));
  EXPECT_THAT(html, HasSubstr("cat taken for dog: 3 of 4 (75.0 %)"));
  EXPECT_THAT(html, HasSubstr("25.0 %"));
  EXPECT_THAT(html, HasSubstr("4.6 %"));  // Wilson's interval of 1 of 4: 4.6 to 69.9 %
  EXPECT_THAT(html, HasSubstr("69.9 %"));
  // The best class with the images that are right, the worst with those that are wrong.
  EXPECT_EQ(Count(html, "<img"), 4u + 3u);
  EXPECT_LT(html.find("dog/3.png: dog, classified as dog, 80 %"),
            html.find("cat/3.png: cat, classified as dog, 80 %"));
  EXPECT_EQ(Count(ClassesSection(run, /*pictures=*/false), "<img"), 0u);
}

TEST(ClassesTest, WhatIsMissingIsSaid) {
  report::Run run = MakeRun();
  run.flags["data"] = "/nowhere";
  const std::string html = ClassesSection(run, /*pictures=*/true);
  EXPECT_THAT(html, HasSubstr("There are no pictures"));
  EXPECT_THAT(html, HasSubstr("cat taken for dog"));
  // The data is there, but its images have other names.
  run.flags["data"] = data::TestFolder("renamed");
  for (const char* label : {"cat", "dog"}) {
    data::WriteTestFile(absl::StrCat(run.flags["data"], "/val/", label, "/new.png"),
                        data::EncodePng(data::TestImage(1, 20, 20)));
  }
  const std::string renamed = ClassesSection(run, /*pictures=*/true);
  EXPECT_THAT(renamed, HasSubstr("There are no pictures"));
  EXPECT_THAT(renamed, Not(HasSubstr("<figure>")));
  data::WriteTestFile(absl::StrCat(run.path, "/", kPredictionsFile), "file,label\n1,2\n");
  EXPECT_THAT(ClassesSection(run, true), HasSubstr("predictions.csv&#39; line 2"));
  run.path = "/nowhere";
  EXPECT_THAT(ClassesSection(run, true), HasSubstr("There is no confusion matrix"));
}

TEST(ClassesTest, RunsAreCompared) {
  const report::Run run = MakeRun();
  EXPECT_EQ(ClassesOfRuns({run}, 8), "");
  report::Run other = run;
  other.name = "<other>";
  const std::string html = ClassesOfRuns({run, other}, 8);
  EXPECT_THAT(html, HasSubstr("&#60;other&#62;"));
  EXPECT_EQ(Count(html, "data-tip=\"4.6 % to 69.9 %\""), 2u);
  EXPECT_THAT(ClassesOfRuns({run, other, run}, 2), HasSubstr("the first 2 of 3 runs"));
}

TEST(ConfusionMatrixTest, OfManyClassesThoseWithErrors) {
  std::vector<Prediction> predictions;
  for (int c = 0; c < 100; ++c) {
    for (int i = 0; i < 3; ++i) {
      const bool wrong = c >= 50 && c < 80;
      predictions.push_back(
          {"f", absl::StrCat(c), absl::StrCat(wrong ? (i == 0 ? 51 : 99) : c), 0.5});
    }
  }
  const std::string svg = ConfusionMatrix(Confuse(predictions));
  EXPECT_THAT(svg, HasSubstr("50 taken for 51: 1 of 3 (33.3 %)"));
  EXPECT_THAT(svg, HasSubstr("50 taken for another class: 2 of 3 (66.7 %)"));
  EXPECT_THAT(svg, HasSubstr("the 30 of 100 classes"));
  EXPECT_THAT(svg, Not(HasSubstr("3 taken for 3:")));
}

}  // namespace
}  // namespace report
