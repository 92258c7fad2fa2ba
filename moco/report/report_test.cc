#include "moco/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "augment/augmentation.h"
#include "base/rng.h"
#include "data/decode.h"
#include "data/encode.h"
#include "data/image_names.h"
#include "data/loader.h"
#include "data/test_images.h"
#include "moco/measures/measure_names.h"
#include "moco/report/advice.h"
#include "moco/report/curves.h"
#include "moco/report/pairs.h"
#include "moco/report/run.h"

namespace report {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kViews[] = "random_resized_crop:size=16|color_jitter:brightness=0.4|flip|to_tensor";
constexpr char kNormalize[] = "|normalize:mean=0.5,std=0.25";

// A run of 3 epochs of 10 steps, whose last epoch has these numbers.
Run MakeRun(double loss_of_chance = 0.6, double leak = 0) {
  report::Run run;
  run.path = "/runs/one";
  run.name = "one";
  run.settings.program = "//moco:pretrain";
  run.settings.steps = 30;
  run.settings.steps_per_epoch = 10;
  run.settings.facts = {{"moco-k", "64"}, {"batch-size", "16"}};
  run.flags = {{"moco-k", "64"}, {"lr", "0.06"}};
  run.step = 30;
  for (int64_t step = 1; step <= 30; ++step) run.metrics["loss"].push_back({step, 5.0});
  for (int64_t step = 10; step <= 30; step += 10) {
    run.metrics["epoch_loss"].push_back({step, 4 * loss_of_chance});
    run.metrics["loss_of_chance"].push_back({step, loss_of_chance});
    run.metrics["queue_filled"].push_back({step, 1});
    run.metrics["queue_age"].push_back({step, 0.4});
    run.metrics["spread"].push_back({step, 0.6});
    run.metrics["dimensions"].push_back({step, 10});
    run.metrics["leak"].push_back({step, leak});
  }
  return run;
}

TEST(ThinTest, PeaksStay) {
  Series series;
  for (int64_t step = 1; step <= 100'000; ++step) series.push_back({step, std::sin(step * 0.1)});
  series[12'345].value = 99;
  series[77'777].value = -99;
  const Series thin = Thin(series, 200);
  EXPECT_LE(thin.size(), 800u);
  EXPECT_GE(thin.size(), 200u);
  EXPECT_EQ(thin.front().step, 1);
  EXPECT_EQ(thin.back().step, 100'000);
  const auto has = [&](int64_t step, double value) {
    return std::any_of(thin.begin(), thin.end(), [&](const Point& point) {
      return point.step == step && point.value == value;
    });
  };
  EXPECT_TRUE(has(12'346, 99));
  EXPECT_TRUE(has(77'778, -99));
  EXPECT_TRUE(std::is_sorted(thin.begin(), thin.end(),
                             [](const Point& a, const Point& b) { return a.step < b.step; }));
  EXPECT_EQ(Thin(Series(700, Point{3, 1}), 200).size(), 700u);
  EXPECT_LE(Thin(Series(900, Point{3, 1}), 200).size(), 4u);  // all at one step
}

TEST(CurvesTest, ChanceAndTheQueueThatFills) {
  const nlohmann::json curves = Curves({MakeRun()});
  const nlohmann::json& loss = curves["charts"][0];
  EXPECT_EQ(loss["title"], "Loss");
  EXPECT_NEAR(loss["levels"][0]["y"].get<double>(), 4, 1e-9);
  EXPECT_EQ(loss["spans"][0]["to"], 4);  // 64 keys, 16 a step
  EXPECT_EQ(loss["series"].size(), 2u);
  EXPECT_EQ(curves["runs"][0]["perEpoch"], 10);
  // The phase is marked where it is normal that the numbers change, and nowhere else.
  for (const auto& chart : curves["charts"]) {
    const std::string title = chart["title"];
    const bool fills =
        title == "Loss" || title == "Loss relative to chance" || title == "Pretext task";
    EXPECT_EQ(chart["spans"].size(), fills ? 1u : 0u) << title;
    EXPECT_EQ(chart["levels"].size(), title == "Loss" ? 1u : 0u) << title;
  }
}

TEST(CurvesTest, MeasuresWithoutLabels) {
  report::Run run = MakeRun();
  for (const std::string& metric : moco::MeasureMetrics()) run.metrics[metric] = {{0, 1}, {30, 2}};
  const nlohmann::json curves = Curves({run});
  for (const moco::MeasureName& measure : moco::MeasureNames()) {
    size_t charts = 0;
    for (const auto& chart : curves["charts"]) {
      if (chart["title"] != measure.title) continue;
      ++charts;
      EXPECT_EQ(chart["series"].size(), 2u) << measure.name;
      EXPECT_NE(chart["note"], "");
    }
    EXPECT_EQ(charts, 1u) << measure.name;
  }
  const std::string table = Report({run, run});
  EXPECT_THAT(table, HasSubstr("<th>RankMe, backbone"));
}

TEST(CurvesTest, ManyRunsHaveFewPointsEach) {
  report::Run run = MakeRun();
  for (int64_t step = 31; step <= 100'000; ++step)
    run.metrics["loss"].push_back({step, 5.0 + step % 7});
  const nlohmann::json curves = Curves(std::vector<report::Run>(50, run));
  size_t points = 0;
  for (const auto& series : curves["charts"][0]["series"]) points += series["x"].size();
  EXPECT_LE(points, 25'000u);
  EXPECT_GE(points, 5'000u);
}

TEST(AdviceTest, VerdictsNameTheirFlags) {
  EXPECT_EQ(VerdictWord(MakeRun()), "learning");
  EXPECT_EQ(VerdictWord(MakeRun(0.99)), "collapsed");
  EXPECT_THAT(Advice(MakeRun(0.99)), Contains(HasSubstr("--lr")));
  EXPECT_EQ(VerdictWord(MakeRun(0.6, 0.5)), "leaking");
  EXPECT_THAT(Advice(MakeRun(0.6, 0.5)), Contains(HasSubstr("--bn-splits")));
  // The keys differ and the loss falls, but the backbone's features collapse.
  report::Run fallen = MakeRun();
  fallen.metrics["rankme_backbone"] = {{0, 40}, {30, 5}};
  EXPECT_EQ(VerdictWord(fallen), "collapsed");
  EXPECT_THAT(Advice(fallen), Contains(HasSubstr("--weight-decay")));
  fallen.metrics["rankme_backbone"] = {{0, 40}, {30, 60}};
  EXPECT_EQ(VerdictWord(fallen), "learning");
  EXPECT_THAT(Advice(fallen), Contains(HasSubstr("60 directions, 40 before training")));
  report::Run started = MakeRun();
  started.metrics.erase("leak");
  EXPECT_EQ(VerdictWord(started), "started");
}

TEST(AdviceTest, TheBestAccuracyAndWaiting) {
  report::Run run = MakeRun();
  run.metrics["knn"] = {{0, 0.3}, {10, 0.5}, {20, 0.6}, {30, 0.55}};
  run.metrics["waiting"] = {{1, 0.0}, {29, 0.5}, {30, 0.3}};
  const std::vector<std::string> advice = Advice(run);
  EXPECT_THAT(advice, Contains(HasSubstr("kNN accuracy is 55.0 % in epoch 3, 30.0 % before "
                                         "training, and was best in epoch 2: 60.0 %")));
  EXPECT_THAT(advice, Contains(HasSubstr("40.0 % of the time: raise --workers")));
}

// A folder of images; the run is of them.
Run RunOnImages(int images) {
  const std::string folder = data::TestFolder("images");
  for (int i = 0; i < images; ++i) {
    data::WriteTestFile(absl::StrCat(folder, "/", i / 10, i % 10, ".png"),
                        data::EncodePng(data::TestImage(i, 24, 30)));
  }
  report::Run run = MakeRun();
  run.flags["data"] = folder;
  run.flags["seed"] = "5";
  run.settings.facts["views"] = absl::StrCat(kViews, kNormalize);
  run.settings.facts["data"] = absl::StrCat(images, " images");
  const auto opened = data::OpenDataset(folder, data::Split::kPretraining);
  EXPECT_TRUE(opened.ok()) << opened.status();
  run.settings.facts["image-names"] = data::DigestOfNames(*opened->dataset, /*with_labels=*/false);
  return run;
}

// The loader's first batch is what the network saw.
TEST(PairsTest, ViewsAreThoseOfTheLoader) {
  const report::Run run = RunOnImages(9);
  const auto pairs = FirstPairs(run, nullptr, 4);
  ASSERT_TRUE(pairs.ok()) << pairs.status();
  ASSERT_EQ(pairs->pairs.size(), 4u);
  EXPECT_EQ(pairs->note, "");

  const auto opened = data::OpenDataset(run.Flag("data"), data::Split::kPretraining);
  ASSERT_TRUE(opened.ok()) << opened.status();
  const auto pipeline = augment::Pipeline::Create(kViews);
  ASSERT_TRUE(pipeline.ok());
  const data::ViewFunction view = [&](const cv::Mat& image, base::Rng& rng) {
    return (*pipeline)(image, rng);
  };
  data::LoaderOptions options;
  options.batch_size = 4;
  options.rows = options.cols = 16;
  options.views = {view, view};
  options.seed = 5;
  options.threads = 0;
  options.last_step = 1;
  auto loader = data::Loader::Create(*opened->dataset, options);
  ASSERT_TRUE(loader.ok());
  const auto batch = (*loader)->Next();
  ASSERT_TRUE(batch.ok());
  for (int i = 0; i < 4; ++i) {
    const Pair& pair = pairs->pairs[i];
    EXPECT_EQ(pair.name, opened->dataset->Name((*batch)->samples[i]));
    for (int v = 0; v < 2; ++v) {
      const cv::Mat seen = (*batch)->views[v].rowRange(i * 16, (i + 1) * 16);
      EXPECT_TRUE(data::SameImage(v == 0 ? pair.query : pair.key, data::ToRgb8(seen))) << i;
    }
    EXPECT_FALSE(data::SameImage(pair.query, pair.key));
    EXPECT_EQ(pair.original.size(), cv::Size(30, 24));
  }
}

TEST(PairsTest, DataThatHaveChangedOrAreGone) {
  report::Run run = RunOnImages(5);
  run.settings.facts["data"] = "9 images";
  const auto pairs = FirstPairs(run, nullptr, 24);
  ASSERT_TRUE(pairs.ok()) << pairs.status();
  EXPECT_EQ(pairs->pairs.size(), 5u);
  EXPECT_THAT(pairs->note, HasSubstr("9 images"));
  run.settings.facts["data"] = "5 images";
  run.settings.facts["image-names"] = "0123456789abcdef";
  const auto renamed = FirstPairs(run, nullptr, 24);
  ASSERT_TRUE(renamed.ok()) << renamed.status();
  EXPECT_THAT(renamed->note, HasSubstr("other names"));
  run.flags["data"] = "/nowhere";
  EXPECT_EQ(FirstPairs(run, nullptr, 24).status().code(), absl::StatusCode::kNotFound);
  run.settings.facts.erase("views");
  EXPECT_EQ(FirstPairs(run, nullptr, 24).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(ReportTest, OneRun) {
  report::Run run = RunOnImages(3);
  run.settings.usual = {{"lr", "0.03"}, {"moco-k", "64"}};
  run.settings.preset = "moco_v2";
  run.bad_images = {{"7.png", "'7.png' is empty"}};
  const std::string page = Report({run});
  EXPECT_THAT(page, HasSubstr("<b><code>--lr</code></b>"));
  EXPECT_THAT(page, HasSubstr("<td><code>--moco-k</code>"));
  EXPECT_THAT(page, HasSubstr("the preset moco_v2"));
  EXPECT_THAT(page, HasSubstr("00.png: original"));
  EXPECT_THAT(page, HasSubstr("&#39;7.png&#39; is empty"));
  EXPECT_THAT(page, HasSubstr("The run has ended: 30 steps, 3 epochs"));
  EXPECT_THAT(page, Not(HasSubstr("--resume=")));
  EXPECT_THAT(page, Not(HasSubstr("class=\"sortable")));
}

TEST(ReportTest, SeveralRunsAreCompared) {
  report::Run one = RunOnImages(3), other = one;
  other.name = "other<1>";
  other.flags["lr"] = "0.5";
  other.metrics["knn"] = {{30, 0.5}};
  const std::string page = Report({one, other});
  EXPECT_THAT(page, HasSubstr("Report of 2 runs"));
  EXPECT_THAT(page, HasSubstr("<th>--lr"));
  EXPECT_THAT(page, Not(HasSubstr("<th>--moco-k")));
  EXPECT_THAT(page, HasSubstr("<td data-value=\"0.5\">50.0 %"));
  EXPECT_THAT(page, HasSubstr("other&#60;1&#62;"));
  EXPECT_THAT(page, Not(HasSubstr("other<1>")));
  EXPECT_THAT(page, HasSubstr("<h2>Map of the features"));  // where it is
}

}  // namespace
}  // namespace report
