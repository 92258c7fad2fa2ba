// A polite stop: Ctrl-C, SIGTERM and SIGUSR1 ask, the training loop finishes its step and answers.
#ifndef BASE_SIGNALS_H_
#define BASE_SIGNALS_H_

#include <string>

#include "absl/status/status.h"

namespace base {

// From now on these signals only set a flag. A second Ctrl-C or SIGTERM ends the process as usual,
// if it comes a second or more after the first: a scheduler that signals every process of a job,
// and a launcher there that passes it on, mean the same one. A second SIGUSR1 does nothing, since
// schedulers and scripts may both send one before the end.
void CatchStopSignals();

// OK until a signal came; then Cancelled, whose exit code is 128 + StopSignal(): never 0, which
// launchers take for success.
absl::Status StopRequested();

// The signal that came first; 0 before.
int StopSignal();

// Takes a signal that another process of the run got for one of this process's own.
void ShareStopSignal(int signal);

// What to say of a run whose step takes so long, since a signal is answered at a step's end. Empty
// up to 15 s: schedulers give 30 s from SIGTERM to SIGKILL, and a checkpoint takes its time, too.
std::string SlowStepWarning(double seconds);

}  // namespace base

#endif  // BASE_SIGNALS_H_
