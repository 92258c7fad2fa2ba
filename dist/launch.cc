// Runs a program as several ranks on this machine, and with the same on others, over several.
//
//   bazel run //dist:launch -- --nproc=2 -- ARGUMENTS
#include <gflags/gflags.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <tuple>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/exit_code.h"
#include "base/files.h"
#include "base/flags.h"
#include "dist/launcher.h"
#include "dist/ranks.h"

DEFINE_int64(nproc, 1, "processes to start on this machine");
DEFINE_int64(nnodes, 1, "machines; this program is started on each, with the same --nproc");
DEFINE_int64(node_rank, 0, "number of this machine, from 0");
DEFINE_string(
    dist_url, "",
    "tcp://HOST:PORT, where the processes meet: machine 0, and a port that is free there; "
    "not needed on one machine");
DEFINE_int64(max_restarts, 0,
             "how often a run is started anew when a process is lost: killed, or without a way to "
             "the others; it goes on from its newest checkpoint");
DEFINE_int64(timeout, 60,
             "seconds that the other processes have to end by themselves when one has ended badly");
DEFINE_string(program, "pretrain", "pretrain, lincls, or the path of a program");

namespace {

constexpr char kUsage[] =
    "Runs a program as several processes that train together, on this machine or on several.\n"
    "What stands after the last -- is for the program.\n\n"
    "  bazel run //dist:launch -- --nproc=2 -- DIR -b 64\n"
    "  bazel run //dist:launch -- --nproc=2 --program=lincls -- DIR --pretrained=runs/<time>\n"
    "  bazel run //dist:launch -- --nproc=8 --nnodes=2 --node-rank=0 --dist-url=tcp://HOST:PORT "
    "\\\n"
    "      -- DIR\n\n";

int exit_code = base::kSuccess;  // of the program

std::string Self() { return std::filesystem::read_symlink("/proc/self/exe"); }

std::string ProgramPath() {
  if (FLAGS_program != "pretrain" && FLAGS_program != "lincls") {
    return base::UserPath(FLAGS_program);
  }
  // It lies beside this one.
  return std::filesystem::path(Self()).parent_path() / absl::StrCat(FLAGS_program, "_ddp");
}

// `bazel run` lays data out, such as the demo's images, for the program that it starts: the ranks
// are to find it, too.
void ShareRunfiles() {
  const std::string runfiles = Self() + ".runfiles";
  if (std::filesystem::exists(runfiles)) setenv("RUNFILES_DIR", runfiles.c_str(), /*replace=*/0);
}

absl::Status Run(int argc, char** argv) {
  const auto line = base::ParseCommandLine(argc, argv, /*aliases=*/{});
  if (!line.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        line.status().message(), "; flags of the program that is started stand after a --"));
  }
  if (line->help) {
    std::printf("%s%s", kUsage, base::FlagHelp("dist/launch.cc").c_str());
    return absl::OkStatus();
  }
  for (const auto& [flag, value, low, high] :
       {std::tuple("nproc", FLAGS_nproc, 1, 1 << 20),
        std::tuple("nnodes", FLAGS_nnodes, 1, 1 << 20),
        std::tuple("node_rank", FLAGS_node_rank, 0, static_cast<int>(FLAGS_nnodes) - 1),
        std::tuple("max_restarts", FLAGS_max_restarts, 0, 1 << 20),
        std::tuple("timeout", FLAGS_timeout, 0, 1 << 20)}) {
    if (absl::Status s = base::CheckFlag(flag, value, low, high); !s.ok()) return s;
  }
  dist::RankFlags flags;
  flags.world_size = FLAGS_nnodes;
  flags.rank = FLAGS_node_rank;
  flags.dist_url = FLAGS_dist_url;
  flags.nproc = FLAGS_nproc;
  const auto found = dist::FindRanks(std::getenv, flags);
  if (!found.ok()) return found.status();
  const auto* plan = std::get_if<dist::LaunchPlan>(&*found);
  if (plan == nullptr) {
    return absl::InvalidArgumentError(
        "another launcher has started this process as one of its ranks; have that launcher start "
        "the program itself");
  }
  dist::LaunchOptions options;
  options.max_restarts = FLAGS_max_restarts;
  options.timeout = std::chrono::seconds(FLAGS_timeout);
  ShareRunfiles();
  const auto code = dist::Launch(ProgramPath(), line->positional, *plan, options);
  if (code.ok()) exit_code = *code;
  return code.status();
}

}  // namespace

int main(int argc, char** argv) {
  const int failed = base::RunMain(Run, argc, argv);
  return failed != 0 ? failed : exit_code;
}
