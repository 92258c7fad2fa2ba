#include "base/run_log.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/files.h"

namespace base {
namespace {

class RunLogTest : public ::testing::Test {
 protected:
  const std::string path_ = ::testing::TempDir() + "/run_log_" +
                            ::testing::UnitTest::GetInstance()->current_test_info()->name();
  RunFolder folder_ = RunFolder::Open(path_).value();
  RunLog log_{&folder_, {"step", "epoch", "loss", "knn"}};

  // What the one event file holds.
  std::string Events() {
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      const std::string name = entry.path().filename();
      if (name.rfind("events.out.tfevents.", 0) == 0) return Contents(name);
    }
    return "";
  }

  std::string Contents(const std::string& file) { return ReadFile(folder_.File(file)).value(); }
};

TEST_F(RunLogTest, MetricsGoToThreeFiles) {
  log_.Start(0);
  log_.Metrics({{"step", 1}, {"loss", 0.5}, {"epoch", 0}});
  log_.Metrics({{"step", 2}, {"knn", 0.25}});
  EXPECT_EQ(Contents("metrics.jsonl"),
            "{\"epoch\":0,\"loss\":0.5,\"step\":1}\n{\"knn\":0.25,\"step\":2}\n");
  EXPECT_EQ(Contents("metrics.csv"), "step,epoch,loss,knn\n1,0,0.5,\n2,,,0.25\n");
  const std::string events = Events();
  EXPECT_NE(events.find("brain.Event:2"), std::string::npos);
  EXPECT_LT(events.find("loss"), events.find("knn"));
  EXPECT_NE(events.find("knn"), std::string::npos);
  EXPECT_EQ(log_.Recorded("knn").size(), 1);
  EXPECT_EQ(log_.Recorded("knn")[0]["step"], 2);
}

TEST_F(RunLogTest, MetricsAfterAStepAreDropped) {
  log_.Start(0);
  for (int step : {10, 20, 30}) log_.Metrics({{"step", step}});
  ASSERT_TRUE(folder_.Append("metrics.jsonl", "{\"step\": 1").ok());  // cut by a kill
  log_.Start(20);
  log_.Metrics({{"step", 25}});
  EXPECT_EQ(Contents("metrics.jsonl"), "{\"step\":10}\n{\"step\":20}\n{\"step\":25}\n");
  EXPECT_EQ(Contents("metrics.csv"), "step,epoch,loss,knn\n10,,,\n20,,,\n25,,,\n");
  log_.Start(0);
  EXPECT_EQ(Contents("metrics.jsonl"), "");
}

TEST_F(RunLogTest, TheTableHasFirstLastLeastAndMost) {
  log_.Start(0);
  for (double loss : {3.0, 1.0, 4.0, 2.0}) log_.Metrics({{"step", 1}, {"loss", loss}});
  for (double small : {-0.46441, -5.9671e-07, -6.1e-01})
    log_.Metrics({{"step", 1}, {"epoch", small}});
  ::testing::internal::CaptureStdout();
  log_.PrintTable({{"loss, %", "loss", 100}, {"kNN", "knn"}, {"small", "epoch"}});
  EXPECT_EQ(::testing::internal::GetCapturedStdout(),
            "                              first       last        min        max\n"
            "  loss, %                       300        200        100        400\n"
            "  small                     -0.4644      -0.61      -0.61 -5.967e-07\n");
}

TEST_F(RunLogTest, ABadImageIsListedOnce) {
  log_.BadImage("a.jpg", "'a.jpg' is cut");
  log_.BadImage("b.jpg", "'b.jpg' is empty");
  log_.BadImage("a.jpg", "'a.jpg' is cut");
  EXPECT_EQ(Contents("bad_images.txt"), "a.jpg\t'a.jpg' is cut\nb.jpg\t'b.jpg' is empty\n");
}

TEST_F(RunLogTest, AWarningIsSaidOnceAndStopsNothing) {
  log_.Start(0);
  std::filesystem::remove(folder_.File("metrics.jsonl"));
  std::filesystem::create_directory(folder_.File("metrics.jsonl"));  // cannot be written
  ::testing::internal::CaptureStdout();
  log_.Metrics({{"step", 1}});
  log_.Metrics({{"step", 2}});
  const std::string said = ::testing::internal::GetCapturedStdout();
  EXPECT_EQ(said.find("warning: "), 0) << said;
  EXPECT_EQ(said.find('\n'), said.size() - 1) << said;
}

}  // namespace
}  // namespace base
