// How the programs end. The table is in docs/errors.md.
#ifndef BASE_EXIT_CODE_H_
#define BASE_EXIT_CODE_H_

#include <exception>
#include <functional>

#include "absl/status/status.h"

namespace base {

enum ExitCode {
  kSuccess = 0,
  kInternalError = 1,  // a broken invariant: please report it
  kBadUsage = 2,       // a flag, a value, a path or a combination of them is wrong
  kDamagedData = 3,    // an image, an archive or a checkpoint is damaged
  kUnavailable = 4,    // a folder in use or not writable, a full disk, memory
  kNotFinite = 5,      // the loss became NaN or infinite
  kHangup = 129,       // the terminal was closed (128 + SIGHUP); the same as kInterrupted
  kInterrupted = 130,  // Ctrl-C (128 + SIGINT); a checkpoint was written, if a step was done
  kRequeue = 138,      // SIGUSR1, a scheduler's notice (128 + SIGUSR1); the same
  kTerminated = 143,   // SIGTERM (128 + SIGTERM); the same
};

// Returns the exit code of a status.
ExitCode ExitCodeOf(const absl::Status& status);

// Prints "error: <message>" as one line on stderr and returns the exit code. Prints nothing if the
// status is OK, or if its message is empty because another process reports the error.
int Report(const absl::Status& status);

// Whether an exception reports that memory ran out, on the machine or on a GPU. LibTorch has no
// exception type for this that all devices share, so the text decides.
bool IsOutOfMemory(const std::exception& e);

// Runs `body` and turns what it throws into a status of one line, without LibTorch's stack trace:
// ResourceExhausted when memory ran out, naming the flags of this program that lower its use;
// Internal for everything else.
absl::Status CatchExceptions(const std::function<absl::Status()>& body);

// Runs the program's body with CatchExceptions, reports its status, and returns the exit code. If
// the body succeeds, but what it printed could not all be written to stdout, that is reported: a
// full disk must not pass for success. A stdout that is closed or that nobody reads any more is no
// error.
int RunMain(const std::function<absl::Status(int argc, char** argv)>& body, int argc, char** argv);

}  // namespace base

#endif  // BASE_EXIT_CODE_H_
