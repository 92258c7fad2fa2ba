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
  RunLog log_{folder_};

  std::string Contents(const std::string& file) { return ReadFile(folder_.File(file)).value(); }
};

TEST_F(RunLogTest, MetricsAfterAStepAreDropped) {
  for (int step : {10, 20, 30}) log_.Metrics({{"step", step}});
  WriteFileAtomically(folder_.File("metrics.jsonl"),
                      Contents("metrics.jsonl") + "{\"step\": 1")  // cut by a kill
      .IgnoreError();
  log_.DropMetricsAfter(20);
  log_.Metrics({{"step", 25}});
  EXPECT_EQ(Contents("metrics.jsonl"), "{\"step\":10}\n{\"step\":20}\n{\"step\":25}\n");
}

TEST_F(RunLogTest, ABadImageIsListedOnce) {
  log_.BadImage("a.jpg", "'a.jpg' is cut");
  log_.BadImage("b.jpg", "'b.jpg' is empty");
  log_.BadImage("a.jpg", "'a.jpg' is cut");
  EXPECT_EQ(Contents("bad_images.txt"), "a.jpg\t'a.jpg' is cut\nb.jpg\t'b.jpg' is empty\n");
}

TEST_F(RunLogTest, AWarningIsSaidOnceAndStopsNothing) {
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
