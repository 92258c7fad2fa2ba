#include "moco/training/world.h"

#include <fcntl.h>
#include <gflags/gflags.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "base/cores.h"
#include "base/exit_code.h"
#include "base/flags.h"
#include "base/shared_flags.h"
#include "moco/communicators/agreement.h"
#include "moco/training/cuda_devices.h"

MOCOPP_DEVICE_FLAGS;

DEFINE_bool(
    tf32, false,
    "[machine] on a GPU: compute products and convolutions of float32 with factors of 11 "
    "significant bits (TF32); results differ from those of the CPU in the fourth digit, but "
    "repeat to the bit");
DEFINE_bool(cudnn_benchmark, false,
            "[machine] on a GPU: let cuDNN try several algorithms and keep the fastest; the last "
            "bits then differ from run to run, and a resumed run is no longer that of an unbroken "
            "one");

// The reference's, for several processes. The programs of dist/ do what they say; the others are
// one process.
DEFINE_bool(multiprocessing_distributed, false,
            "[processes] start one process per device (//dist programs)");
DEFINE_int64(world_size, -1,
             "[processes] number of machines, if each starts its processes by itself, or else of "
             "processes (//dist programs)");
DEFINE_int64(rank, -1, "[processes] index of this machine or process, from 0 (//dist programs)");
DEFINE_string(dist_url, "tcp://224.66.41.62:23456",
              "[processes] address at which the processes meet (//dist programs)");
DEFINE_string(dist_backend, "nccl",
              "[processes] communication between the processes: nccl or gloo (//dist programs)");

namespace moco {
namespace {

// A machine's ranks share --batch-size, so all machines must have the same number of ranks. Counts
// those that share this one's cores.
absl::Status MeetRanks(World& world) {
  if (world.communicator->size() == 1) return absl::OkStatus();
  const std::vector<std::string> sizes =
      AllGatherText(*world.communicator, absl::StrCat(world.local_size));
  const std::string own = base::CoresId();
  const std::vector<std::string> cores = AllGatherText(*world.communicator, own);
  world.sharers = std::count(cores.begin(), cores.end(), own);
  for (size_t rank = 1; rank < sizes.size(); ++rank) {
    if (sizes[rank] == sizes[0]) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("the machines run different numbers of ranks: that of rank 0 runs ", sizes[0],
                     ", that of rank ", rank, " runs ", sizes[rank],
                     "; start the same number on each (srun --ntasks-per-node, mpirun --map-by)"));
  }
  return absl::OkStatus();
}

// The variables by which torchrun, mpirun and srun tell a process of how many it is one
// (dist/ranks.cc). A program that is one process would do the whole run in each.
std::string LauncherNote(const std::string& of_several) {
  for (const char* name :
       {"WORLD_SIZE", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"}) {
    const char* const value = std::getenv(name);
    int64_t processes;
    if (value == nullptr || !absl::SimpleAtoi(value, &processes) || processes <= 1) continue;
    return absl::StrCat("note     ", name, "=", value,
                        ": a launcher has started several processes, and each of them does the "
                        "whole run; for one run of all, start bazel run ",
                        of_several, " --\n");
  }
  return "";
}

// Appends what is printed from here on to the file `path`; false, with errno, if it cannot. Unlike
// freopen this also serves where stdout is a stream of ours (base/started.cc).
bool PrintTo(const std::string& path) {
  std::fflush(stdout);
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0) return false;
  if (fd == STDOUT_FILENO) return true;  // which was closed
  const bool printed = dup2(fd, STDOUT_FILENO) >= 0;
  const int error = errno;
  close(fd);
  errno = error;
  return printed;
}

}  // namespace

absl::Status RunWithPeers(int argc, char** argv, const base::Program& program,
                          const Connection& connection,
                          const std::function<absl::Status(const World&)>& body) {
  const bool reports = connection.reports_startup_errors();
  if (!reports && !PrintTo("/dev/null")) {
    return absl::UnavailableError(absl::StrCat("'/dev/null': ", std::strerror(errno)));
  }
  const auto read = base::ReadCommandLine(argc, argv, program);
  if (!read.ok()) {
    return absl::Status(read.status().code(), reports ? read.status().message() : "");
  }
  if (!*read) return absl::OkStatus();  // --help
  auto world = connection.connect();
  if (!world.ok()) return world.status();
  if (world->device.is_cuda()) UseFasterArithmetic(FLAGS_tf32, FLAGS_cudnn_benchmark);
  Communicator& ranks = *world->communicator;
  const absl::Status status = base::CatchExceptions([&] {
    return UntilAPeerIsLost([&] {
      const absl::Status met = MeetRanks(*world);
      return met.ok() ? body(*world) : met;
    });
  });
  const bool reported = ranks.Leave(status);
  if (status.ok() || world->writes()) return status;
  return absl::Status(status.code(),
                      reported ? "" : absl::StrCat("rank ", ranks.rank(), ": ", status.message()));
}

Connection Alone() {
  return {[]() -> absl::StatusOr<World> {
    auto device = ChooseDevice(FLAGS_device, static_cast<int>(std::max<int64_t>(FLAGS_gpu, 0)));
    if (!device.ok()) return device.status();
    auto communicator = Communicators().Create("single");
    if (!communicator.ok()) return communicator.status();
    World world;
    world.device = *device;
    world.communicator = *std::move(communicator);
    return world;
  }};
}

int64_t ShareOfThreads(int64_t all, const World& world) {
  const int64_t share = all > 0 ? all / world.local_size : base::Cores() / world.sharers;
  return std::max<int64_t>(1, share);
}

std::string DeviceLine(const World& world) {
  if (world.device.is_cpu()) return "";
  return absl::StrCat("device   ", world.device.str(), ", float32 ",
                      FLAGS_tf32 ? "as TF32" : "without TF32", ", cuDNN by ",
                      FLAGS_cudnn_benchmark ? "the fastest" : "repeatable", " algorithms\n");
}

std::string FlagNotes(const World& world, int64_t workers, int loader_threads,
                      const std::string& of_several) {
  const bool several = world.communicator->size() > 1;
  std::string text;
  if (base::IsSet("workers") && workers > loader_threads) {
    absl::StrAppend(&text, "note     --workers=", workers, " is reduced to ", loader_threads,
                    several ? " in this process" : "", ", one per core\n");
  }
  if (several) return text;
  absl::StrAppend(&text, LauncherNote(of_several));
  std::vector<std::string> ignored;
  for (const std::string flag : {"gpu", "tf32", "cudnn-benchmark"}) {
    const bool set = base::IsSet(absl::StrReplaceAll(flag, {{"-", "_"}}));
    if (world.device.is_cpu() && set) ignored.push_back("--" + flag);
  }
  for (const std::string flag :
       {"multiprocessing-distributed", "world-size", "rank", "dist-url", "dist-backend"}) {
    if (base::IsSet(absl::StrReplaceAll(flag, {{"-", "_"}}))) ignored.push_back("--" + flag);
  }
  if (ignored.empty()) return text;
  return absl::StrCat(text, "note     ", absl::StrJoin(ignored, ", "),
                      ": ignored, since this run is a single process on ",
                      world.device.is_cpu() ? "the CPU" : "one GPU", "\n");
}

absl::Status PrintToOwnLog(const World& world, const std::string& run_folder) {
  if (world.writes()) return absl::OkStatus();
  std::error_code ignored;
  std::filesystem::create_directories(run_folder, ignored);
  const std::string path = absl::StrCat(run_folder, "/rank_", world.communicator->rank(), ".log");
  if (!PrintTo(path)) {
    return absl::UnavailableError(absl::StrCat("'", path, "': ", std::strerror(errno),
                                               "; give a --run-dir that every rank can write to"));
  }
  return absl::OkStatus();
}

}  // namespace moco
