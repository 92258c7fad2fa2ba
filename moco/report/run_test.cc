#include "moco/report/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"
#include "data/test_images.h"

namespace report {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(RunTest, StepsAreInOrderAndNumbersFinite) {
  const std::string folder = data::TestFolder("run");
  data::WriteTestFile(folder + "/metrics.jsonl",
                      "{\"step\":1,\"loss\":5}\n{\"step\":0,\"knn\":0.3}\n\n"
                      "{\"step\":2,\"loss\":null,\"text\":\"x\"}\n{\"step\":10,\"knn\":0.4}\n");
  const auto run = ReadRun(folder);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->name, "run");
  EXPECT_EQ(run->step, 10);
  ASSERT_NE(run->Find("knn"), nullptr);
  EXPECT_EQ(run->Find("knn")->front().step, 0);
  EXPECT_THAT(*run->Find("loss"), SizeIs(1));
  EXPECT_EQ(run->Find("text"), nullptr);
  EXPECT_THAT(run->notes, IsEmpty());
  EXPECT_FALSE(run->Ended());
}

TEST(RunTest, TheStepsOfARunWithoutSettings) {
  const std::string folder = data::TestFolder("run");
  data::WriteTestFile(folder + "/metrics.jsonl",
                      "{\"step\":39,\"epoch\":0,\"epoch_loss\":5}\n"
                      "{\"step\":78,\"epoch\":1,\"epoch_loss\":5}\n{\"step\":80,\"epoch\":2,"
                      "\"loss\":4}\n");
  data::WriteTestFile(folder + "/flags.txt", "--epochs=55\n--moco-k=256\n--views=a:b=c|d\n");
  const auto run = ReadRun(folder + "/");
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->settings.steps_per_epoch, 39);
  EXPECT_EQ(run->settings.steps, 55 * 39);
  EXPECT_EQ(run->Flag("views"), "a:b=c|d");
  EXPECT_EQ(run->Flag("none"), "");
  EXPECT_EQ(run->settings.program, "//moco:pretrain");
}

TEST(RunTest, SettingsOfAnotherFormAreNotTrusted) {
  const std::string folder = data::TestFolder("run");
  data::WriteTestFile(folder + "/metrics.jsonl", "{\"step\":1,\"loss\":5}\n");
  for (const char* text : {"[1]", "{", "{\"steps\": -5, \"usual\": 3, \"program\": {\"a\": 1}}",
                           "{\"steps\": 1e300, \"steps_per_epoch\": \"x\", \"settings\": [1]}"}) {
    data::WriteTestFile(folder + "/settings.json", text);
    const auto run = ReadRun(folder);
    ASSERT_TRUE(run.ok()) << run.status();
    EXPECT_EQ(run->settings.steps, 0);
    EXPECT_THAT(run->settings.usual, IsEmpty());
  }
}

// A run that is killed, or that goes on, may leave any part of its last line.
TEST(RunTest, EveryCutOfTheLastLine) {
  const std::string folder = data::TestFolder("run");
  const std::string first = "{\"step\":1,\"loss\":5}\n", last = "{\"step\":12,\"loss\":4.5}\n";
  for (size_t size = 0; size < last.size(); ++size) {
    data::WriteTestFile(folder + "/metrics.jsonl", first + last.substr(0, size));
    const auto run = ReadRun(folder);
    ASSERT_TRUE(run.ok()) << size << ": " << run.status();
    EXPECT_EQ(run->step, size + 1 < last.size() ? 1 : 12) << size;
  }
}

TEST(RunTest, DamageIsNamed) {
  const std::string folder = data::TestFolder("run");
  for (const char* line : {"[1]", "\xFF\xFE", "{\"step\":\"1\"}", "{\"step\":1e99}", "{\"a\":1}"}) {
    data::WriteTestFile(folder + "/metrics.jsonl",
                        std::string("{\"step\":1,\"loss\":5}\n") + line + "\n{\"step\":2}\n");
    const auto run = ReadRun(folder);
    EXPECT_EQ(run.status().code(), absl::StatusCode::kDataLoss) << line;
    EXPECT_THAT(std::string(run.status().message()), HasSubstr("metrics.jsonl' line 2"));
  }
}

}  // namespace
}  // namespace report
