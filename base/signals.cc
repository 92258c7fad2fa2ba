#include "base/signals.h"

#include <cmath>
#include <csignal>

#include "absl/strings/str_format.h"

namespace base {
namespace {

constexpr double kLongestStep = 15, kSave = 30;  // seconds

volatile std::sig_atomic_t received = 0;

extern "C" void Remember(int signal) {
  if (received == 0) received = signal;
}

}  // namespace

void CatchStopSignals() {
  received = 0;
  struct sigaction action = {};
  action.sa_handler = Remember;
  action.sa_flags = SA_RESTART;
  sigaction(SIGUSR1, &action, nullptr);
  action.sa_flags |= SA_RESETHAND;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

absl::Status StopRequested() {
  switch (received) {
    case 0:
      return absl::OkStatus();
    case SIGINT:
      return absl::CancelledError("stopped by Ctrl-C");
    case SIGTERM:
      return absl::CancelledError("stopped by SIGTERM");
    default:
      return absl::CancelledError("stopped by SIGUSR1");
  }
}

int StopSignal() { return received; }

void ShareStopSignal(int signal) {
  if (signal != 0) received = signal;
}

std::string SlowStepWarning(double seconds) {
  if (!(seconds > kLongestStep)) return "";
  return absl::StrFormat(
      "warning: a step takes %.0f s, and a signal is answered after it; have a scheduler send "
      "SIGUSR1 %.0f s before the end (sbatch --signal=B:USR1@%.0f), or lower --batch-size",
      seconds, std::ceil(seconds) + kSave, std::ceil(seconds) + kSave);
}

}  // namespace base
