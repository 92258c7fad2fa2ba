#include "base/signals.h"

#include <csignal>

namespace base {
namespace {

volatile std::sig_atomic_t received = 0;

extern "C" void Remember(int signal) { received = signal; }

}  // namespace

void CatchStopSignals() {
  received = 0;
  struct sigaction action = {};
  action.sa_handler = Remember;
  action.sa_flags = SA_RESETHAND | SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

absl::Status StopRequested() {
  if (received == SIGINT) return absl::CancelledError("stopped by Ctrl-C");
  if (received == SIGTERM) return absl::DeadlineExceededError("stopped by SIGTERM");
  return absl::OkStatus();
}

}  // namespace base
