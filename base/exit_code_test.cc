#include "base/exit_code.h"

#include <fcntl.h>
#include <gflags/gflags.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <new>
#include <stdexcept>
#include <string>

#include "absl/status/status.h"

DEFINE_int64(batch_size, 1, "the one flag of this program that has to do with memory");

namespace base {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

template <class Exception>
absl::Status Thrown(const Exception& e) {
  return CatchExceptions([&]() -> absl::Status { throw e; });
}

TEST(ExitCodeTest, MemoryThatRunsOutIsUnavailable) {
  EXPECT_EQ(ExitCodeOf(Thrown(std::bad_alloc())), kUnavailable);
  for (const char* text : {
           // LibTorch's exceptions on a CPU, by its CUDA allocator, by CUDA and by cuBLAS.
           "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate "
           "memory: you tried to allocate 4000000000000 bytes. Error code 12 (Cannot allocate "
           "memory)\nframe #0",
           "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 79.10 "
           "GiB of which 1.00 GiB is free.\nException raised from malloc",
           "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported",
           "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
       }) {
    const absl::Status status = Thrown(std::runtime_error(text));
    EXPECT_EQ(ExitCodeOf(status), kUnavailable) << text;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr(std::string(text).find("CUDA") == 0 ? "on the GPU" : "on this machine"));
  }
}

TEST(ExitCodeTest, TheRemedyIsAFlagOfThisProgram) {
  EXPECT_THAT(std::string(Thrown(std::bad_alloc()).message()),
              AllOf(HasSubstr("--batch-size"), Not(HasSubstr("--moco-k"))));
}

TEST(ExitCodeTest, WhateverElseIsThrownIsOneLine) {
  const absl::Status status = Thrown(std::runtime_error("the shapes differ\nframe #0"));
  EXPECT_EQ(ExitCodeOf(status), kInternalError);
  EXPECT_EQ(status.message(), "the shapes differ");
}

// Ends as a program that prints a little and succeeds.
void PrintAndExit(const std::function<void()>& before_the_end = [] {}) {
  std::exit(RunMain(
      [&](int, char**) {
        std::printf("a line\n");
        before_the_end();
        return absl::OkStatus();
      },
      0, nullptr));
}

void PrintTo(const char* path) {
  if (std::freopen(path, "w", stdout) == nullptr) std::exit(99);
}

TEST(ExitCodeTest, OutputThatCannotBeWrittenIsAnError) {
  EXPECT_EXIT((PrintTo("/dev/null"), PrintAndExit()), testing::ExitedWithCode(0), "^$");
  EXPECT_EXIT((PrintTo("/dev/full"), PrintAndExit()), testing::ExitedWithCode(kUnavailable),
              "^error: .*stdout.*No space left on device.*\n$");
  // The disk has space again when the program ends.
  const auto recover = [] {
    std::fflush(stdout);
    if (dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO) < 0) std::exit(99);
  };
  EXPECT_EXIT((PrintTo("/dev/full"), PrintAndExit(recover)), testing::ExitedWithCode(kUnavailable),
              "^error: .*stdout");
  // The same under the launcher of a bundle, whose stdout is another stream.
  EXPECT_EXIT((setenv("MOCOPP_STARTED_AS", "mocopp", 1), PrintTo("/dev/full"), PrintAndExit()),
              testing::ExitedWithCode(kUnavailable), "^error: .*stdout");
}

TEST(ExitCodeTest, OutputThatNobodyReadsIsNoError) {
  EXPECT_EXIT((close(STDOUT_FILENO), PrintAndExit()), testing::ExitedWithCode(0), "^$");
  const auto break_pipe = [] {
    int ends[2];
    if (pipe(ends) != 0 || dup2(ends[1], STDOUT_FILENO) < 0) std::exit(99);
    close(ends[0]);
    close(ends[1]);
  };
  EXPECT_EXIT((break_pipe(), std::signal(SIGPIPE, SIG_IGN), PrintAndExit()),
              testing::ExitedWithCode(0), "^$");
  EXPECT_EXIT((break_pipe(), std::signal(SIGPIPE, SIG_DFL), PrintAndExit()),
              testing::KilledBySignal(SIGPIPE), "^$");
}

}  // namespace
}  // namespace base
