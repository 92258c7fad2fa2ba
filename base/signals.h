// A polite stop: Ctrl-C and SIGTERM ask, the training loop finishes its step and answers.
#ifndef BASE_SIGNALS_H_
#define BASE_SIGNALS_H_

#include "absl/status/status.h"

namespace base {

// From now on SIGINT and SIGTERM only set a flag, once: the second one ends the process as usual.
void CatchStopSignals();

// OK until a signal came; then Cancelled (SIGINT) or DeadlineExceeded (SIGTERM), whose exit codes
// are 130 and 143: never 0, which launchers take for success.
absl::Status StopRequested();

}  // namespace base

#endif  // BASE_SIGNALS_H_
