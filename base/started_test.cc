#include "base/started.h"

#include <gtest/gtest.h>

#include <cstdlib>

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

TEST(StartedTest, OtherTargetsAndHalfCommandsStay) {
  setenv("MOCOPP_STARTED_AS", "mocopp", 1);
  for (const char* text : {"bazel run //tests/plugins:update", "bazel run //benchmarks:x -- y",
                           "bazel run //moco", "bazel run //", "bazel run", ""}) {
    EXPECT_EQ(AsStarted(text), text);
  }
}

}  // namespace
}  // namespace base
