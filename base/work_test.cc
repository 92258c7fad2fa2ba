#include "base/work.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>

namespace base {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// What a test prints, whose output is no terminal.
std::string Printed(double seconds_before) {
  testing::internal::CaptureStdout();
  {
    Progress progress(/*seconds_between=*/0);
    Work work(progress, "packing", 10, "images", /*done=*/0, seconds_before);
    for (int64_t done = 1; done <= 10; ++done) work.Done(done);
  }
  return testing::internal::GetCapturedStdout();
}

TEST(WorkTest, ShortWorkPrintsNothing) { EXPECT_EQ(Printed(/*seconds_before=*/1000), ""); }

TEST(WorkTest, LongWorkPrintsPlainLinesWithoutATerminal) {
  const std::string printed = Printed(/*seconds_before=*/0);
  EXPECT_THAT(printed, StartsWith("packing: 1 of 10 images"));
  EXPECT_THAT(printed, testing::EndsWith("\n"));
  EXPECT_EQ(printed.find('\r'), std::string::npos);
  // It is asked ten times, and prints at most five times a second.
  EXPECT_LE(std::count(printed.begin(), printed.end(), '\n'), 5);
}

TEST(WorkTest, TheRateIsThatOfThisStart) {
  Progress progress;
  const Work work(progress, "features", 5000, "images", /*done=*/1000);
  EXPECT_EQ(work.Line(1000, 0), "features: 1,000 of 5,000 images");
  EXPECT_THAT(work.Line(2000, 10),
              AllOf(HasSubstr("2,000 of 5,000"), HasSubstr("100 per second, 30 s left")));
  EXPECT_THAT(work.Line(1002, 4), HasSubstr("0.5 per second"));
  const Work unknown(progress, "reading folders", /*all=*/0, "files");
  EXPECT_EQ(unknown.Line(3000, 2), "reading folders: 3,000 files, 1,500 per second");
}

}  // namespace
}  // namespace base
