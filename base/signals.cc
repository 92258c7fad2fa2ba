#include "base/signals.h"

#include <atomic>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <ctime>

#include "absl/strings/str_format.h"

namespace base {
namespace {

constexpr double kLongestStep = 15, kSave = 30;  // seconds

constexpr int64_t kOnce = 1000;  // milliseconds in which repeated signals count as one

volatile std::sig_atomic_t received = 0;
std::atomic<int64_t> interrupted, terminated, hung_up;  // when each signal came; 0: not yet

int64_t Milliseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{1000} * now.tv_sec + now.tv_nsec / 1000000;
}

extern "C" void Remember(int signal) {
  if (received == 0) received = signal;
  if (signal == SIGUSR1) return;
  std::atomic<int64_t>& came = signal == SIGINT    ? interrupted
                               : signal == SIGTERM ? terminated
                                                   : hung_up;
  if (came == 0) {
    came = Milliseconds();
  } else if (Milliseconds() - came >= kOnce) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
}

}  // namespace

void CatchStopSignals() {
  received = 0;
  interrupted = terminated = hung_up = 0;
  struct sigaction action = {};
  action.sa_handler = Remember;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) sigaction(signal, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  struct sigaction before;
  sigaction(SIGHUP, nullptr, &before);
  if (before.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);
}

absl::Status StopRequested() {
  switch (received) {
    case 0:
      return absl::OkStatus();
    case SIGINT:
      return absl::CancelledError("stopped by Ctrl-C");
    case SIGTERM:
      return absl::CancelledError("stopped by SIGTERM");
    case SIGHUP:
      return absl::CancelledError("stopped by SIGHUP (the terminal was closed)");
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
      "warning: a step takes %.0f s, and a run reacts to a signal only at the end of a step; let "
      "the scheduler send SIGUSR1 %.0f s before the time limit (sbatch --signal=B:USR1@%.0f), or "
      "lower --batch-size",
      seconds, std::ceil(seconds) + kSave, std::ceil(seconds) + kSave);
}

}  // namespace base
