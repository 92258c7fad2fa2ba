#include "base/program.h"

#include <gflags/gflags.h>

#include <cstdio>
#include <iterator>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/flags.h"
#include "registry/catalogue.h"

DEFINE_bool(plugins, false, "[help] print every plugin of this program with its options, and end");

namespace base {
namespace {

const char* const kThemes[] = {"data", "views",   "encoder", "method", "optimisation",
                               "run",  "monitor", "machine", "help"};

// The reference's short and second names.
const std::map<std::string, std::string>& Aliases() {
  static const auto& aliases = *new std::map<std::string, std::string>{
      {"a", "arch"},           {"b", "batch_size"}, {"e", "evaluate"},     {"j", "workers"},
      {"learning_rate", "lr"}, {"p", "print_freq"}, {"wd", "weight_decay"}};
  return aliases;
}

}  // namespace

absl::StatusOr<bool> ReadCommandLine(int argc, char** argv, const Program& program,
                                     std::string* data) {
  auto line = ParseCommandLine(argc, argv, Aliases(), /*lists=*/{"schedule"});
  if (!line.ok()) return line.status();
  if (line->help) {
    std::printf("%s\n%s", program.usage.c_str(),
                FlagHelpByTheme({program.file, "base/program.cc"},
                                {std::begin(kThemes), std::end(kThemes)}, Aliases())
                    .c_str());
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

}  // namespace base
