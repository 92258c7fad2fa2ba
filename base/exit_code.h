// How the programs end. The table is in docs/errors.md.
#ifndef BASE_EXIT_CODE_H_
#define BASE_EXIT_CODE_H_

#include <functional>

#include "absl/status/status.h"

namespace base {

enum ExitCode {
  kSuccess = 0,
  kInternalError = 1,  // a broken invariant: please report it
  kBadUsage = 2,       // a flag, a value, a path, a combination of them
  kDamagedData = 3,    // an image, an archive or a checkpoint that is not whole
  kUnavailable = 4,    // a place in use, not writable, or full; memory
  kNotFinite = 5,      // the loss became NaN or infinite
  kInterrupted = 130,  // Ctrl-C (128 + SIGINT); a checkpoint was written, if a step was done
  kRequeue = 138,      // SIGUSR1, a scheduler's notice (128 + SIGUSR1); the same
  kTerminated = 143,   // SIGTERM (128 + SIGTERM); the same
};

// The exit code that belongs to a status.
ExitCode ExitCodeOf(const absl::Status& status);

// Prints "error: <message>" as one line on stderr, unless OK or without a message, since another
// process says it; and returns the exit code.
int Report(const absl::Status& status);

// Runs the program's body. What it throws is reported as one line, without a stack trace: memory
// that is not to be had as kUnavailable, the rest as kInternalError.
int RunMain(const std::function<absl::Status(int argc, char** argv)>& body, int argc, char** argv);

}  // namespace base

#endif  // BASE_EXIT_CODE_H_
