// The processes of a run, as a program finds them when it starts.
#ifndef MOCO_TRAINING_WORLD_H_
#define MOCO_TRAINING_WORLD_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/program.h"
#include "moco/communicators/communicator.h"

namespace moco {

struct World {
  std::unique_ptr<Communicator> communicator;
  at::Device device = at::kCPU;  // that this process computes on
  int64_t local_size = 1;        // processes on this machine
  int64_t sharers = 1;           // of them, those that may run on the same cores as this one
  std::string banner;            // what a run prints about its ranks: lines, or nothing
  std::string run_dir;           // where a run is whose flags do not say it; empty: in a new folder
  bool started_again = false;    // restarted by a launcher, after a process was lost

  int64_t machines() const { return std::max<int64_t>(1, communicator->size() / local_size); }
  bool writes() const { return communicator->rank() == 0; }
};

// How a program comes to its world.
struct Connection {
  std::function<absl::StatusOr<World>()> connect;  // called once, when the flags are read
  // Whether this process reports what all ranks, which have the same arguments, would report before
  // they meet, such as --help or an unknown flag.
  std::function<bool()> reports_startup_errors = [] { return true; };
};

// One process, on the device that --device and --gpu name.
Connection Alone();

// Reads the command line (base::ReadCommandLine), connects, runs `body`, and tells the other
// processes when it ends badly. What a lost process throws there is Unavailable. The message says
// which rank it is from, unless from the first, and is empty where that one says the same.
absl::Status RunWithPeers(int argc, char** argv, const base::Program& program,
                          const Connection& connection,
                          const std::function<absl::Status(const World&)>& body);

// This process's part of `all` threads that the machine's processes share (0: one for each core
// that this process may run on; a launcher may have given each process cores of its own).
int64_t ShareOfThreads(int64_t all, const World& world);

// What a run prints of its device: a line, or nothing of the CPU.
std::string DeviceLine(const World& world);

// Flags of the command line that have another effect here than in the reference, and what is done
// instead: a line each, for the settings that a run prints. Of a single process also a launcher's
// variables that say that it has started several; `of_several` is the program for these.
std::string FlagNotes(const World& world, int64_t workers, int loader_threads,
                      const std::string& of_several);

// Sends what a rank but the first prints to the file rank_<n>.log in the run's folder.
absl::Status PrintToOwnLog(const World& world, const std::string& run_folder);

}  // namespace moco

#endif  // MOCO_TRAINING_WORLD_H_
