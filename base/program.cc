#include "base/program.h"

#include <gflags/gflags.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "base/exit_code.h"
#include "base/files.h"
#include "base/flags.h"
#include "base/preset_in_use.h"
#include "registry/catalogue.h"
#include "registry/spec.h"

DEFINE_string(preset, "",
              "[program] named settings, listed below; flags on the command line override them");
DEFINE_bool(print_config, false,
            "[program] print all settings in full, as a file for --flagfile, and exit");
DEFINE_bool(plugins, false,
            "[program] print the plugins of this program with their options, and exit");

namespace base {
namespace {

// The headings of --help, in this order.
const std::vector<std::string>& Themes() {
  static const auto& themes = *new std::vector<std::string>{
      "data",   "views",   "encoder", "method",    "optimisation", "run",
      "output", "monitor", "machine", "processes", "program"};
  return themes;
}

// The reference's short and alternative names.
const std::map<std::string, std::string>& Aliases() {
  static const auto& aliases = *new std::map<std::string, std::string>{
      {"a", "arch"},           {"b", "batch_size"}, {"e", "evaluate"},     {"j", "workers"},
      {"learning_rate", "lr"}, {"p", "print_freq"}, {"wd", "weight_decay"}};
  return aliases;
}

// The reference's options. Python's argparse completes names, so that its users may have written
// --co for --cos; a flag that only we have must not change what that means.
const std::set<std::string>& ReferenceFlags() {
  static const auto& flags =
      *new std::set<std::string>{"arch",        "aug_plus",     "batch_size",
                                 "cos",         "data",         "dist_backend",
                                 "dist_url",    "epochs",       "evaluate",
                                 "gpu",         "lr",           "mlp",
                                 "moco_dim",    "moco_k",       "moco_m",
                                 "moco_t",      "momentum",     "multiprocessing_distributed",
                                 "pretrained",  "print_freq",   "rank",
                                 "resume",      "schedule",     "seed",
                                 "start_epoch", "weight_decay", "workers",
                                 "world_size"};
  return flags;
}

// Flags that have no use in this program.
std::set<std::string> Hidden(const Program& program) {
  std::set<std::string> hidden;
  if (program.presets.empty()) hidden = {"preset", "print_config"};
  if (registry::Catalogue().empty()) hidden.insert("plugins");
  return hidden;
}

std::string Help(const Program& program) {
  std::string text =
      absl::StrCat(program.usage, "\n", FlagHelp(Themes(), Aliases(), Hidden(program)),
                   "  --flagfile\n      file with more flags, one --flag=value per line\n"
                   "  --help\n      print this and exit\n");
  if (!program.presets.empty()) absl::StrAppend(&text, "presets (--preset=NAME):\n");
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

Preset& InUse() {
  static Preset& preset = *new Preset();
  return preset;
}

absl::Status Unexpected(const std::string& argument, const std::string& why) {
  return absl::InvalidArgumentError(
      absl::StrCat("unexpected argument '", argument, "'; ", why, "; --help shows examples"));
}

absl::Status CheckNotEmpty(const std::string& name, const std::string& argument) {
  if (!argument.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "the argument ", name, " is empty (a shell variable that is not set?); give a path"));
}

// Sets `flag` to the only positional argument, if there is one.
absl::Status SetByArgument(const std::string& flag, const Arguments& arguments) {
  if (arguments.empty()) return absl::OkStatus();
  const std::string& last = arguments.back();
  if (arguments.size() > 1) {
    return Unexpected(last, absl::StrCat("only the ", flag, " folder is positional"));
  }
  if (IsSet(flag)) return Unexpected(last, absl::StrCat("--", flag, " is given, too"));
  if (absl::Status s = CheckNotEmpty(flag, last); !s.ok()) return s;
  return SetFlag(flag, last);
}

// Checks that there are as many arguments as `usage` names, and that none is empty.
absl::Status CheckArguments(const std::string& usage, const Arguments& arguments) {
  const std::vector<std::string> names = absl::StrSplit(usage, ' ', absl::SkipEmpty());
  const auto optional = [](const std::string& name) { return absl::StartsWith(name, "["); };
  const size_t least = names.size() - std::count_if(names.begin(), names.end(), optional);
  if (arguments.size() < least) {
    return absl::InvalidArgumentError(absl::StrCat("missing argument ", names[arguments.size()],
                                                   "; give ", usage, "; --help shows examples"));
  }
  const bool any_number = absl::StrContains(usage, "...");
  for (size_t i = 0; i < std::min(names.size() - any_number, arguments.size()); ++i) {
    if (absl::Status s = CheckNotEmpty(names[i], arguments[i]); !s.ok()) return s;
  }
  if (arguments.size() <= names.size() || any_number) return absl::OkStatus();
  return Unexpected(arguments[names.size()],
                    names.empty() ? "this program takes flags only" : absl::StrCat("give ", usage));
}

}  // namespace

absl::StatusOr<std::optional<Arguments>> ReadCommandLine(int argc, char** argv,
                                                         const Program& program) {
  auto line = ParseCommandLine(argc, argv, Aliases(), Hidden(program), ReferenceFlags());
  if (!line.ok()) return line.status();
  if (line->help || FLAGS_plugins) {
    std::fputs((line->help ? Help(program) : registry::Catalogue()).c_str(), stdout);
    return std::nullopt;
  }
  absl::Status status = program.argument_flag.empty()
                            ? CheckArguments(program.arguments, line->positional)
                            : SetByArgument(program.argument_flag, line->positional);
  if (!status.ok()) return status;
  return std::move(line->positional);
}

int Main(int argc, char** argv, const Program& program,
         const std::function<absl::Status(const Arguments&)>& body) {
  return RunMain(
      [&](int argc, char** argv) -> absl::Status {
        const auto arguments = ReadCommandLine(argc, argv, program);
        if (!arguments.ok()) return arguments.status();
        return *arguments ? body(**arguments) : absl::OkStatus();
      },
      argc, argv);
}

absl::Status ApplyPreset(const Program& program, const std::string& otherwise) {
  const std::string& name = FLAGS_preset.empty() ? otherwise : FLAGS_preset;
  if (name.empty()) return absl::OkStatus();
  std::vector<std::string> known;
  for (const Preset& preset : program.presets) {
    if (preset.name == name) {
      SetDefaults(preset.flags);
      InUse() = preset;
      return absl::OkStatus();
    }
    known.push_back(preset.name);
  }
  return absl::InvalidArgumentError(registry::UnknownMessage("preset", name, known));
}

const Preset& PresetInUse() { return InUse(); }

bool PrintConfig() { return FLAGS_print_config; }

}  // namespace base
