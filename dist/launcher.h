// Starts a program as several ranks of this machine, and sees to it that all of them end.
#ifndef DIST_LAUNCHER_H_
#define DIST_LAUNCHER_H_

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dist/ranks.h"

namespace dist {

struct LaunchOptions {
  // How often a run is started anew that has lost a rank: one that was killed, or that ended
  // because a peer or a place could not be reached (base::kUnavailable).
  int max_restarts = 0;
  // When one has ended badly, the others have `timeout` to notice; then they get SIGTERM, and
  // SIGKILL after `grace`.
  std::chrono::seconds timeout{60}, grace{10};
};

// Runs `program`, a path, with `arguments` as start.nproc ranks, and waits until all have ended.
// The exit code of the first that ended badly (128 + the signal of one that was killed, which one
// line on stderr tells), 0 when none did.
//
// A rank's environment has torchrun's variables, and
//   MOCOPP_STORE_FD   on rank 0: a socket that listens at MASTER_ADDR:MASTER_PORT, which is
//                     127.0.0.1 when all ranks are on this machine;
//   MOCOPP_RUN_DIR    a run folder that is not there yet, the same for all ranks and restarts;
//   TORCHELASTIC_RESTART_COUNT.
// Standard input is empty; output and errors are the caller's. SIGINT, SIGTERM, SIGUSR1 and SIGHUP
// go to each rank once, unless the caller ignores them (nohup). Ranks and what they start share a
// process group that ends with the call, or with the calling thread, whatever ends it.
//
// Errors, without a rank left: the program cannot be run; the port is in use (Unavailable); the
// host of a start on several machines is not this one (InvalidArgument).
absl::StatusOr<int> Launch(const std::string& program, const std::vector<std::string>& arguments,
                           const Start& start, const LaunchOptions& options);

}  // namespace dist

#endif  // DIST_LAUNCHER_H_
