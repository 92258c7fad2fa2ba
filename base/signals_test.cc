#include "base/signals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>
#include <tuple>

#include "base/exit_code.h"

namespace base {
namespace {

using ::testing::HasSubstr;

TEST(SignalsTest, EachHasItsMessageAndItsExitCode) {
  for (const auto& [signal, message, code] :
       {std::tuple(SIGINT, "Ctrl-C", 130), std::tuple(SIGTERM, "stopped by SIGTERM", 143),
        std::tuple(SIGUSR1, "SIGUSR1", 138)}) {
    CatchStopSignals();
    EXPECT_TRUE(StopRequested().ok());
    std::raise(signal);
    EXPECT_THAT(std::string(StopRequested().message()), HasSubstr(message));
    EXPECT_EQ(ExitCodeOf(StopRequested()), code);
  }
}

TEST(SignalsTest, TheFirstCounts) {
  CatchStopSignals();
  std::raise(SIGUSR1);
  std::raise(SIGUSR1);
  std::raise(SIGTERM);
  EXPECT_EQ(StopSignal(), SIGUSR1);
  std::raise(SIGTERM);  // the same one, from another sender
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  std::raise(SIGINT);
  EXPECT_EQ(StopSignal(), SIGUSR1);
  EXPECT_EXIT(std::raise(SIGTERM), testing::KilledBySignal(SIGTERM), "");
}

TEST(SignalsTest, AClosedTerminalIsIgnoredUnderNohup) {
  std::signal(SIGHUP, SIG_IGN);
  CatchStopSignals();
  std::raise(SIGHUP);
  EXPECT_TRUE(StopRequested().ok());
  std::signal(SIGHUP, SIG_DFL);
}

TEST(SignalsTest, ARunGoesOnWithoutItsReader) {
  const auto print = [] {
    int ends[2];
    if (pipe(ends) != 0) std::exit(1);
    close(ends[0]);
    const bool failed = write(ends[1], "x", 1) < 0 && errno == EPIPE;
    std::exit(failed ? 0 : 2);
  };
  std::signal(SIGPIPE, SIG_DFL);
  EXPECT_EXIT(print(), testing::KilledBySignal(SIGPIPE), "");
  EXPECT_EXIT((CatchStopSignals(), print()), testing::ExitedWithCode(0), "");
}

TEST(SignalsTest, LongStepsAreWarnedOf) {
  EXPECT_EQ(SlowStepWarning(15), "");
  EXPECT_THAT(SlowStepWarning(17.2), HasSubstr("a step takes 17 s"));
  EXPECT_THAT(SlowStepWarning(17.2), HasSubstr("--signal=B:USR1@48"));
}

}  // namespace
}  // namespace base
