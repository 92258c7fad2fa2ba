// Which of several processes this one is, and where they meet, as the environment variables of a
// launcher or the flags say.
#ifndef DIST_RANKS_H_
#define DIST_RANKS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <variant>

#include "absl/status/statusor.h"

namespace dist {

// One process among all, in the terms of torch.distributed.
struct Ranks {
  int rank = 0, size = 1;              // of this process, of all
  int local_rank = 0, local_size = 1;  // on this machine
  // Where rank 0's store listens. Port 0 with a store_file.
  std::string host = "127.0.0.1";
  int port = 0;
  bool store_is_there = false;  // torchrun serves the store already
  int store_fd = -1;            // a listening socket from the launcher, on rank 0
  std::string store_file;       // --dist-url=file:///...: a file is the store
  bool one_machine = true;      // all ranks are on this machine: listen on loopback only
  int restarts = 0;             // how often the launcher has restarted this run
  std::string source = "the command line";  // where the ranks were found, for the log
};

// Processes to start on this machine (launcher.h), instead of this one.
struct LaunchPlan {
  int nproc = 1;       // ranks first_rank to first_rank + nproc - 1
  int first_rank = 0;  // 0 on the machine whose rank 0 serves the store
  int size = 1;        // ranks on all machines
  std::string host = "127.0.0.1";
  int port = 0;  // 0: any free one; on one machine only
};

// The reference's flags, and --nproc.
struct RankFlags {
  int64_t world_size = -1;  // processes; machines, where these start the processes; -1: one
  int64_t rank = -1;        // of this process or machine; -1 where there is one
  // tcp://HOST:PORT, file:///PATH or env://; empty, or the reference's default: not given.
  std::string dist_url;
  bool multiprocessing_distributed = false;  // start a process for each device
  int devices = 0;                           // of this machine; 0 is a CPU: one process
  int64_t nproc = 0;  // start this many processes, whatever the devices; 0: not given
};

// An environment variable's value; nullptr, or empty, when it is not set.
using Env = std::function<const char*(const char*)>;

using Found = std::variant<Ranks, LaunchPlan>;

// Asks, in this order:
//   1. torchrun's variables. The launcher sets them too.
//   2. mpirun's (Open MPI, MPICH, Intel MPI). They come before Slurm's, since in a job mpirun
//      starts its own daemons by srun, and what these start inherits the daemons' variables.
//   3. srun's. A job's script has some of them without being a step: it is none of several.
//   4. The flags.
// mpirun and srun with a single process count as not found. With one process on each machine they
// count machines, if the flags ask for processes to be started. --dist-url says where their ranks
// meet, or else MASTER_ADDR and MASTER_PORT, of which one may be missing. On one machine the host
// is always 127.0.0.1. srun's default host is that of rank 0; the default port is a hash of the
// job. InvalidArgument names the variable that is missing or wrong, or the flag, and the remedy.
absl::StatusOr<Found> FindRanks(const Env& env, const RankFlags& flags);

}  // namespace dist

#endif  // DIST_RANKS_H_
