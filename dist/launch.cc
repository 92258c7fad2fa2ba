// Runs a program as several ranks on this machine, and with the same on others, over several.
//
//   bazel run //dist:launch -- --nproc=2 -- ARGUMENTS
#include <gflags/gflags.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/exit_code.h"
#include "base/files.h"
#include "base/flags.h"
#include "base/program.h"
#include "dist/launcher.h"
#include "dist/ranks.h"

DEFINE_int64(nproc, 1, "[processes: 1 to 1000000] processes to start on this machine");
DEFINE_int64(nnodes, 1,
             "[processes: 1 to 1000000] number of machines; start this program on each, with the "
             "same --nproc");
DEFINE_int64(node_rank, 0, "[processes] index of this machine, from 0");
DEFINE_string(
    dist_url, "",
    "[processes] tcp://HOST:PORT of machine 0, with a free port, where the processes meet; "
    "not needed on one machine");
DEFINE_int64(
    max_restarts, 0,
    "[processes: 0 to 1000000] how often to restart the run from its newest checkpoint when "
    "a process is lost: killed, or disconnected from the others");
DEFINE_int64(timeout, 60,
             "[processes: 0 to 1000000] seconds that the other processes have to exit on their own "
             "after one has failed");
DEFINE_string(program, "pretrain", "[program] pretrain, lincls, or the path of a program");

namespace {

constexpr char kUsage[] =
    "Runs a program as several processes that train together, on this machine or on several.\n"
    "Arguments after -- are passed to the program.\n\n"
    "  bazel run //dist:launch -- --nproc=2 -- DIR -b 64\n"
    "  bazel run //dist:launch -- --nproc=2 --program=lincls -- DIR --pretrained=runs/<time>\n"
    "  bazel run //dist:launch -- --nproc=8 --nnodes=2 --node-rank=0 --dist-url=tcp://HOST:PORT "
    "\\\n"
    "      -- DIR\n";

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
  const auto arguments =
      base::ReadCommandLine(argc, argv, {.usage = kUsage, .arguments = "[ARGUMENT...]"});
  if (!arguments.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        arguments.status().message(), "; flags of the program to start belong after a --"));
  }
  if (!*arguments) return absl::OkStatus();  // --help
  absl::Status machine =
      base::CheckFlag("node_rank", FLAGS_node_rank, 0, static_cast<double>(FLAGS_nnodes - 1));
  if (!machine.ok()) return machine;
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
  const auto code = dist::Launch(ProgramPath(), **arguments, *plan, options);
  if (code.ok()) exit_code = *code;
  return code.status();
}

}  // namespace

int main(int argc, char** argv) {
  const int failed = base::RunMain(Run, argc, argv);
  return failed != 0 ? failed : exit_code;
}
