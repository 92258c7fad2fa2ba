// Starts a program as several ranks on this machine, and makes sure that all of them end.
#ifndef DIST_LAUNCHER_H_
#define DIST_LAUNCHER_H_

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dist/ranks.h"

namespace dist {

struct LaunchOptions {
  // How often a run is restarted that has lost a rank: one that was killed, or that ended because a
  // peer or a resource was unavailable (base::kUnavailable).
  int max_restarts = 0;
  // When one rank has failed, the others have `timeout` to end by themselves; then they get
  // SIGTERM, and SIGKILL after `grace`. When the launcher is killed, all have `timeout` to write a
  // checkpoint and end, and get SIGKILL then.
  std::chrono::seconds timeout{60}, grace{10};
};

// Runs the program at the path `program` with `arguments` as plan.nproc ranks, and waits until all
// have ended. Returns the exit code of the first that failed (128 + the signal of one that was
// killed), after one line on stderr, or 0 when none did.
//
// A rank's environment has torchrun's variables, and
//   MOCOPP_STORE_FD   on rank 0: a socket that is listening at MASTER_ADDR:MASTER_PORT, which is
//                     127.0.0.1 when all ranks are on this machine;
//   MOCOPP_RUN_DIR    a run folder that does not exist yet, the same for all ranks and restarts;
//   TORCHELASTIC_RESTART_COUNT.
// Standard input is empty; output and errors are the caller's. SIGINT, SIGTERM, SIGUSR1 and SIGHUP
// go to each rank once, unless the caller ignores them (nohup). Ranks and what they start share a
// process group that ends with the call. If the calling process is killed, the group gets SIGUSR1,
// and SIGKILL when the ranks have ended, or after `timeout`. The calling thread has to outlive the
// call.
//
// Errors, after which no rank is left: the program cannot be run; the port is in use (Unavailable);
// the host for several machines is not this one (InvalidArgument).
absl::StatusOr<int> Launch(const std::string& program, const std::vector<std::string>& arguments,
                           const LaunchPlan& plan, const LaunchOptions& options);

}  // namespace dist

#endif  // DIST_LAUNCHER_H_
