// Stopping a run by Ctrl-C, SIGTERM, SIGHUP or SIGUSR1: the training loop finishes its step first.
#ifndef BASE_SIGNALS_H_
#define BASE_SIGNALS_H_

#include <string>

#include "absl/status/status.h"

namespace base {

// From this call on, these signals only set a flag. A second Ctrl-C, SIGTERM or SIGHUP ends the
// process as usual, if it comes at least a second after the first. Two that come closer together
// count as one: a scheduler may signal every process of a job, and a launcher may pass the same
// signal on. A second SIGUSR1 does nothing, because schedulers and scripts may both send one before
// the time limit. SIGPIPE is ignored: a run goes on when what reads its output ends, as `tee` does
// at the same Ctrl-C, and it still writes its checkpoint.
void CatchStopSignals();

// OK until a signal has come; then Cancelled, whose exit code is 128 + StopSignal(). It is never 0,
// which launchers would take for success.
absl::Status StopRequested();

// Returns the first signal that has come; 0 if none has.
int StopSignal();

// Treats a signal that another process of the run has received as received by this process.
void ShareStopSignal(int signal);

// Returns a warning for a run whose steps take `seconds`, since a run reacts to signals only at the
// end of a step. Empty up to 15 s: schedulers allow 30 s from SIGTERM to SIGKILL, and writing a
// checkpoint takes time, too.
std::string SlowStepWarning(double seconds);

}  // namespace base

#endif  // BASE_SIGNALS_H_
