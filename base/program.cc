#include "base/program.h"

#include <gflags/gflags.h>

#include <cstdio>
#include <iterator>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "base/files.h"
#include "base/flags.h"
#include "registry/catalogue.h"
#include "registry/spec.h"

DEFINE_string(preset, "",
              "[program] settings under a name, listed below; a flag that is given wins");
DEFINE_bool(print_config, false,
            "[program] print the settings that the flags make, as a file for --flagfile, and end");
DEFINE_bool(plugins, false,
            "[program] print every plugin of this program with its options, and end");

DEFINE_string(device, "",
              "[machine] cpu or cuda; empty: cuda where there is a device and the program is built "
              "for it, else cpu");

// The reference's, for GPUs and several processes. The programs of dist/ do what they say; the
// others are one process.
DEFINE_int64(gpu, -1,
             "[machine] number of the GPU that one process computes on; -1: the first. Of several "
             "processes each has its own");
DEFINE_bool(multiprocessing_distributed, false,
            "[machine] start a process for each device (//dist programs)");
DEFINE_int64(world_size, -1, "[machine] machines that train together (//dist programs)");
DEFINE_int64(rank, -1, "[machine] number of this machine (//dist programs)");
DEFINE_string(dist_url, "tcp://224.66.41.62:23456",
              "[machine] where the processes meet (//dist programs)");
DEFINE_string(dist_backend, "nccl", "[machine] how the processes talk (//dist programs)");

namespace base {
namespace {

const char* const kThemes[] = {"data", "views",   "encoder", "method", "optimisation",
                               "run",  "monitor", "machine", "program"};

constexpr char kOwnFile[] = "base/program.cc";

// The reference's short and second names.
const std::map<std::string, std::string>& Aliases() {
  static const auto& aliases = *new std::map<std::string, std::string>{
      {"a", "arch"},           {"b", "batch_size"}, {"e", "evaluate"},     {"j", "workers"},
      {"learning_rate", "lr"}, {"p", "print_freq"}, {"wd", "weight_decay"}};
  return aliases;
}

std::string Help(const Program& program) {
  std::vector<std::string> files = {program.file, kOwnFile};
  files.insert(files.end(), program.further_files.begin(), program.further_files.end());
  std::string text =
      absl::StrCat(program.usage, "\n",
                   FlagHelpByTheme(files, {std::begin(kThemes), std::end(kThemes)}, Aliases()),
                   "  --flagfile\n      file with more flags, one --flag=value a line\n"
                   "presets (--preset=NAME):\n");
  for (const Preset& preset : program.presets) {
    absl::StrAppend(&text, "  ", preset.name, "\n      ", preset.summary, "\n     ");
    for (const auto& [flag, value] : preset.flags) {
      absl::StrAppend(&text, " --", absl::StrReplaceAll(flag, {{"_", "-"}}), "=",
                      ShellQuoted(value));
    }
    absl::StrAppend(&text, "\n");
  }
  return text;
}

}  // namespace

absl::StatusOr<bool> ReadCommandLine(int argc, char** argv, const Program& program,
                                     std::string* data) {
  auto line = ParseCommandLine(argc, argv, Aliases(), /*lists=*/{"schedule"});
  if (!line.ok()) return line.status();
  if (line->help) {
    std::fputs(Help(program).c_str(), stdout);
    return false;
  }
  if (FLAGS_plugins) {
    std::fputs(registry::Catalogue().c_str(), stdout);
    return false;
  }
  if (line->positional.size() > 1 || (!line->positional.empty() && !data->empty())) {
    return absl::InvalidArgumentError(absl::StrCat("'", line->positional.back(),
                                                   "' is one word too many; the data's folder is "
                                                   "the only one without a flag"));
  }
  if (line->positional.empty()) return true;
  if (line->positional[0].empty()) {
    return absl::InvalidArgumentError(
        "the data's folder is an empty word (a variable that is not set?); give a folder, or no "
        "word for the demo");
  }
  *data = line->positional[0];
  return true;
}

absl::Status ApplyPreset(const Program& program, const std::string& otherwise) {
  const std::string& name = FLAGS_preset.empty() ? otherwise : FLAGS_preset;
  if (name.empty()) return absl::OkStatus();
  std::vector<std::string> known;
  for (const Preset& preset : program.presets) {
    if (preset.name == name) {
      SetDefaults(preset.flags);
      return absl::OkStatus();
    }
    known.push_back(preset.name);
  }
  return absl::InvalidArgumentError(registry::UnknownMessage("preset", name, known));
}

bool PrintConfig() { return FLAGS_print_config; }

std::string FlagNotes(int64_t workers, int loader_threads, int64_t processes, bool on_cpu) {
  std::string text;
  if (IsSet("workers") && workers > loader_threads) {
    absl::StrAppend(&text, "note     --workers=", workers, ": ", loader_threads, " load images",
                    processes > 1 ? " in this process" : "", ", one for each core\n");
  }
  if (processes > 1) return text;
  std::vector<std::string> idle;
  if (on_cpu && IsSet("gpu")) idle.push_back("--gpu");
  for (const std::string flag :
       {"multiprocessing-distributed", "world-size", "rank", "dist-url", "dist-backend"}) {
    if (IsSet(absl::StrReplaceAll(flag, {{"-", "_"}}))) idle.push_back("--" + flag);
  }
  if (!idle.empty()) {
    absl::StrAppend(&text, "note     ", absl::StrJoin(idle, ", "), ": this run is one process on ",
                    on_cpu ? "the CPU" : "one GPU", " of this machine, whatever they say\n");
  }
  return text;
}

}  // namespace base
