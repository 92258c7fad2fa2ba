#include "dist/connect.h"

#include <gflags/gflags.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "base/flags.h"
#include "dist/launcher.h"
#include "dist/ranks.h"
#include "dist/rendezvous.h"
#include "moco/training/cuda_devices.h"
#include "registry/options.h"

DEFINE_int64(nproc, 0,
             "[processes: 0 to 1000000] processes to start on this machine, unless torchrun, srun "
             "or mpirun has started them; 0: one, or with --multiprocessing-distributed one per "
             "device");
DEFINE_int64(max_restarts, 0,
             "[processes: 0 to 1000000] how often a run that this program started is restarted "
             "from its newest checkpoint when a process is lost");
DEFINE_double(dist_timeout, 300,
              "[processes: 0.1 to 1000000] seconds that a process waits for another");

DECLARE_string(device);
DECLARE_int64(gpu);
DECLARE_bool(multiprocessing_distributed);
DECLARE_int64(world_size);
DECLARE_int64(rank);
DECLARE_string(dist_url);
DECLARE_string(dist_backend);

namespace dist {
namespace {

// The arguments of this process as it was started.
absl::StatusOr<std::vector<std::string>> OwnArguments() {
  auto text = base::ReadFile("/proc/self/cmdline");
  if (!text.ok()) return text.status();
  std::vector<std::string> words = absl::StrSplit(*text, '\0');
  words.erase(words.begin());            // the program
  if (!words.empty()) words.pop_back();  // after the last separator
  return words;
}

// Number of CUDA devices of this machine that the processes compute on; 0: they use its CPU.
absl::StatusOr<int> DevicesToUse() {
  const int count = moco::CudaDeviceCount();
  if (FLAGS_device != "cpu" && count > 0) return count;
  const auto cpu = moco::ChooseDevice(FLAGS_device, 0);
  if (!cpu.ok()) return cpu.status();
  return 0;
}

// The device of this process among those of its machine: one per process, or --gpu for a single
// process. A scheduler may show each process only its own.
absl::StatusOr<at::Device> OwnDevice(const Ranks& ranks) {
  const bool shown_its_own = ranks.size > 1 && moco::CudaDeviceCount() == 1;
  const int64_t number = ranks.size > 1 ? ranks.local_rank : std::max<int64_t>(FLAGS_gpu, 0);
  return moco::ChooseDevice(FLAGS_device, shown_its_own ? 0 : static_cast<int>(number));
}

// The communicator's spec for this process.
std::string Spec(const Ranks& ranks) {
  std::string spec = absl::StrCat(FLAGS_dist_backend, ":rank=", ranks.rank, ",size=", ranks.size,
                                  ",one_machine=", ranks.one_machine ? "true" : "false",
                                  ",restarts=", ranks.restarts,
                                  ",timeout=", registry::WriteValue(FLAGS_dist_timeout));
  if (!ranks.store_file.empty()) {
    return absl::StrCat(spec, ",store_file=", PercentEncoded(ranks.store_file));
  }
  absl::StrAppend(&spec, ",host=", ranks.host, ",port=", ranks.port);
  if (ranks.store_is_there) absl::StrAppend(&spec, ",store_is_there=true");
  if (ranks.store_fd >= 0) absl::StrAppend(&spec, ",store_fd=", ranks.store_fd);
  return spec;
}

// Stops this rank, as SIGUSR1 does, when the launcher that has started it is gone. Launchers that
// are killed leave their ranks running, and SIGUSR1, a scheduler's notice, kills torchrun alone.
// The kernel's own notice (PR_SET_PDEATHSIG) does not serve, because it also comes when just the
// thread ends that has started the process.
void StopWithLauncher(int rank) {
  const pid_t launcher = getppid();
  if (launcher <= 1) return;      // in another process namespace, or gone already
  std::signal(SIGPIPE, SIG_IGN);  // the launcher may be the one who reads the output
  std::thread([rank, launcher] {
    while (getppid() == launcher) std::this_thread::sleep_for(std::chrono::seconds(1));
    std::fprintf(stderr, "warning: the launcher of rank %d is gone; the run stops\n", rank);
    kill(getpid(), SIGUSR1);  // the only signal that may come twice without harm
  }).detach();
}

const char* GetEnv(const char* name) { return std::getenv(name); }

// The ranks that a launcher starts have the same arguments, and so the same errors in them.
bool ReportsStartupErrors() {
  const auto found = FindRanks(GetEnv, {});
  const Ranks* ranks = found.ok() ? std::get_if<Ranks>(&*found) : nullptr;
  return ranks == nullptr || ranks->rank == 0;
}

absl::StatusOr<moco::World> Connect() {
  auto devices = DevicesToUse();
  if (!devices.ok()) return devices.status();
  RankFlags flags;
  flags.world_size = FLAGS_world_size;
  flags.rank = FLAGS_rank;
  flags.dist_url = FLAGS_dist_url;
  flags.multiprocessing_distributed = FLAGS_multiprocessing_distributed;
  flags.devices = *devices;
  flags.nproc = FLAGS_nproc;
  auto found = FindRanks(GetEnv, flags);
  if (!found.ok()) return found.status();
  // The reference's default is meant for machines with a GPU.
  const bool asked = base::IsSet("dist_backend"), on_cpu = *devices == 0;
  if (!asked && on_cpu) base::SetDefaults({{"dist_backend", "gloo"}});
  const bool several =
      std::holds_alternative<LaunchPlan>(*found) || std::get<Ranks>(*found).size > 1;
  if (several && FLAGS_dist_backend == "nccl" && on_cpu) {
    return absl::InvalidArgumentError(
        "--dist-backend=nccl requires a GPU for each process, and this program sees none; give "
        "--dist-backend=gloo");
  }
  if (several && FLAGS_dist_backend == "gloo" && FLAGS_device == "cuda") {
    return absl::InvalidArgumentError(
        "--dist-backend=gloo is for processes that compute on the CPU; give --device=cpu, or "
        "--dist-backend=nccl");
  }
  if (several && FLAGS_dist_backend == "gloo") base::SetDefaults({{"device", "cpu"}});
  if (const LaunchPlan* plan = std::get_if<LaunchPlan>(&*found)) {
    auto arguments = OwnArguments();
    if (!arguments.ok()) return arguments.status();
    LaunchOptions options;
    options.max_restarts = static_cast<int>(FLAGS_max_restarts);
    options.timeout = std::chrono::seconds(static_cast<int64_t>(FLAGS_dist_timeout) + 5);
    auto code = Launch("/proc/self/exe", *arguments, *plan, options);
    if (!code.ok()) return code.status();
    std::exit(*code);
  }
  const Ranks& ranks = std::get<Ranks>(*found);
  if (ranks.source != Ranks().source) StopWithLauncher(ranks.rank);
  const auto device = OwnDevice(ranks);  // before the group, which uses this device
  if (!device.ok()) return device.status();
  moco::World world;
  world.device = *device;
  world.local_size = ranks.local_size;
  world.started_again = ranks.restarts > 0;
  if (const char* folder = std::getenv("MOCOPP_RUN_DIR")) world.run_dir = folder;
  auto communicator = moco::Communicators().Create(ranks.size > 1 ? Spec(ranks) : "single");
  if (!communicator.ok()) return communicator.status();
  world.communicator = *std::move(communicator);
  if (ranks.size > 1) {
    world.banner = absl::StrCat("ranks    ", ranks.size, " processes, this one is ", ranks.rank,
                                " (", ranks.local_size, " on this machine), ", FLAGS_dist_backend,
                                asked || !on_cpu ? "" : " since there is no GPU", ", from ",
                                ranks.source, "\n");
  }
  return world;
}

}  // namespace

moco::Connection Processes() { return {Connect, ReportsStartupErrors}; }

}  // namespace dist
