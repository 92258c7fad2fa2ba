#include "base/started.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace base {
namespace {

TEST(StartedTest, WithoutALauncherTheTextStays) {
  unsetenv("MOCOPP_STARTED_AS");
  EXPECT_EQ(AsStarted("next: bazel run //lincls:lincls -- DIR"),
            "next: bazel run //lincls:lincls -- DIR");
  setenv("MOCOPP_STARTED_AS", "", 1);
  EXPECT_EQ(AsStarted("bazel run //moco:pretrain"), "bazel run //moco:pretrain");
}

TEST(StartedTest, CommandsNameTheLauncher) {
  setenv("MOCOPP_STARTED_AS", "bin/mocopp", 1);
  EXPECT_EQ(AsStarted("next: bazel run //lincls:lincls -- DIR --pretrained=runs/1\n"),
            "next: bin/mocopp lincls DIR --pretrained=runs/1\n");
  EXPECT_EQ(AsStarted("make one with: bazel run //moco:pretrain, or give --pretrained=FILE"),
            "make one with: bin/mocopp pretrain, or give --pretrained=FILE");
  EXPECT_EQ(AsStarted("bazel run //dist:launch -- --nproc=2 -- DIR"),
            "bin/mocopp launch --nproc=2 -- DIR");
  EXPECT_EQ(AsStarted("bazel run //lincls:features, then bazel run //tools:select_labels -- F"),
            "bin/mocopp features, then bin/mocopp select_labels F");
  EXPECT_EQ(AsStarted("bazel run //moco:pretrain"), "bin/mocopp pretrain");
}

TEST(StartedTest, ColumnsStayStraight) {
  setenv("MOCOPP_STARTED_AS", "mocopp", 1);
  EXPECT_EQ(AsStarted("  bazel run //lincls:knn -- BANK   one\n"
                      "  bazel run //lincls:knn           two\n"),
            "  mocopp knn BANK   one\n"
            "  mocopp knn        two\n");
}

// As stdio may write a line in parts, even if it is printed at once.
TEST(StartedTest, ALineInPartsStaysOneText) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    setenv("MOCOPP_STARTED_AS", "mocopp", 1);
    PrintAsStarted();
    for (std::FILE* stream : {stderr, stdout}) {
      std::fputs("error: no run; make one with: bazel run //mo", stream);
      std::fputs("co:pretrain -- DIR\n", stream);
    }
    std::exit(0);
  }
  close(ends[1]);
  std::string text;
  for (char part[100]; const ssize_t got = read(ends[0], part, sizeof part);) {
    ASSERT_GT(got, 0);
    text.append(part, got);
  }
  close(ends[0]);
  waitpid(child, nullptr, 0);
  const std::string line = "error: no run; make one with: mocopp pretrain DIR\n";
  EXPECT_EQ(text, line + line);
}

TEST(StartedTest, OtherTargetsAndHalfCommandsStay) {
  setenv("MOCOPP_STARTED_AS", "mocopp", 1);
  for (const char* text : {"bazel run //tests/plugins:update", "bazel run //benchmarks:x -- y",
                           "bazel run //moco", "bazel run //", "bazel run", ""}) {
    EXPECT_EQ(AsStarted(text), text);
  }
}

}  // namespace
}  // namespace base
