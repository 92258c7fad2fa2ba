#include "base/run_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/exit_code.h"
#include "base/files.h"
#include "base/progress.h"

namespace base {
namespace {

using ::testing::HasSubstr;

std::string Fresh(const std::string& name) {
  const std::string path = testing::TempDir() + "/run_folder_test_" + name;
  std::filesystem::remove_all(path);
  return path;
}

TEST(RunFolderTest, OneRunAtATime) {
  const std::string path = Fresh("lock");
  {
    auto first = RunFolder::Open(path);
    ASSERT_TRUE(first.ok());
    const auto second = RunFolder::Open(path);
    EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
    EXPECT_THAT(std::string(second.status().message()), HasSubstr("another run"));
  }
  EXPECT_TRUE(RunFolder::Open(path).ok());
}

TEST(RunFolderTest, FilesAreAppendedTo) {
  auto folder = RunFolder::Open(Fresh("lines"));
  ASSERT_TRUE(folder.ok());
  ASSERT_TRUE(folder->Append("bad_images.txt", "one\n").ok());
  ASSERT_TRUE(folder->Append("bad_images.txt", "two\n").ok());
  EXPECT_EQ(ReadFile(folder->File("bad_images.txt")).value(), "one\ntwo\n");
}

TEST(RunFolderTest, NewPathsAreNew) {
  const std::string parent = Fresh("new");
  const std::string first = NewRunPath(parent, "-sweep");
  EXPECT_THAT(first, HasSubstr(parent + "/20"));
  EXPECT_TRUE(std::filesystem::is_directory(first));
  EXPECT_NE(NewRunPath(parent, "-sweep"), first);
  EXPECT_THAT(NewRunPath("/sys/no_runs"), HasSubstr("/sys/no_runs/20"));
}

// As the jobs of an array do.
TEST(RunFolderTest, RunsThatStartAtOnceHaveFoldersOfTheirOwn) {
  constexpr int kRuns = 32;
  const std::string parent = Fresh("at_once") + "/runs";
  std::vector<std::string> paths(kRuns);
  std::vector<std::thread> runs;
  for (std::string& path : paths) {
    runs.emplace_back([&path, &parent] { path = NewRunPath(parent); });
  }
  for (std::thread& run : runs) run.join();
  EXPECT_EQ(std::set<std::string>(paths.begin(), paths.end()).size(), kRuns);
  for (const std::string& path : paths) EXPECT_TRUE(RunFolder::Open(path).ok()) << path;
}

TEST(RunFolderTest, TheMachineIsDescribed) {
  const nlohmann::json machine = DescribeMachine();
  EXPECT_GT(machine["cores"], 0);
  EXPECT_GT(machine["memory_bytes"], 1 << 20);
  EXPECT_THAT(machine["system"].get<std::string>(), HasSubstr("Linux"));
}

TEST(ExitCodeTest, KindsOfErrorsHaveTheirCodes) {
  EXPECT_EQ(ExitCodeOf(absl::OkStatus()), 0);
  EXPECT_EQ(ExitCodeOf(absl::InvalidArgumentError("")), 2);
  EXPECT_EQ(ExitCodeOf(absl::NotFoundError("")), 2);
  EXPECT_EQ(ExitCodeOf(absl::DataLossError("")), 3);
  EXPECT_EQ(ExitCodeOf(absl::ResourceExhaustedError("")), 4);
  EXPECT_EQ(ExitCodeOf(absl::AbortedError("")), 5);
  EXPECT_EQ(ExitCodeOf(absl::InternalError("")), 1);
}

TEST(ExitCodeTest, WhatIsThrownIsOneLineToo) {
  testing::internal::CaptureStderr();
  const int code = RunMain(
      [](int, char**) -> absl::Status { throw std::runtime_error("first\nframe #0\nframe #1"); }, 0,
      nullptr);
  EXPECT_EQ(code, kInternalError);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "error: first\n");
  testing::internal::CaptureStderr();
  Report(absl::NotFoundError("two\nlines"));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "error: two lines\n");
}

TEST(ProgressTest, PeopleReadTheNumbers) {
  EXPECT_EQ(FormatSeconds(3.4), "3 s");
  EXPECT_EQ(FormatSeconds(250), "4 min 10 s");
  EXPECT_EQ(FormatSeconds(3900), "1 h 05 min");
  EXPECT_EQ(FormatSeconds(-1), "0 s");
  EXPECT_EQ(FormatBytes(12e3), "12 kB");
  EXPECT_EQ(FormatBytes(820e6), "820 MB");
  EXPECT_EQ(FormatBytes(1.5e9), "1.5 GB");
}

TEST(ProgressTest, WithoutATerminalLinesArePlainAndFew) {
  testing::internal::CaptureStdout();
  {
    Progress progress(/*seconds_between=*/1000);
    progress.Update("first");
    progress.Update("second");
    progress.Print("stays");
  }
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "first\nstays\n");
}

}  // namespace
}  // namespace base
