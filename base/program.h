// The start of every program. A program's main file defines its flags (flags.h), states the rest
// once, and hands over:
//
//   DEFINE_int64(images, 0, "[data: at least 0] images to sample; 0: all");
//
//   absl::Status Stats(const std::vector<std::string>& arguments) { ... arguments[0] ... }
//
//   int main(int argc, char** argv) {
//     return base::Main(argc, argv, {.usage = kUsage, .arguments = "DATA"}, Stats);
//   }
//
// Every flag that is defined in the program or a library of it belongs to it.
#ifndef BASE_PROGRAM_H_
#define BASE_PROGRAM_H_

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace base {

// Values of flags under a name, given by --preset=NAME.
struct Preset {
  std::string name, summary;
  std::vector<std::pair<std::string, std::string>> flags;  // flag, value; each is a flag and fits
};

struct Program {
  std::string usage;  // what it does, and examples; what --help prints first
  // The positional arguments as a usage line has them: "DATA OUT", "BANK [QUERIES]", "FILE...".
  std::string arguments = {};
  // Or, in place of `arguments`, the flag that a single positional argument sets.
  std::string argument_flag = {};
  std::vector<Preset> presets = {};  // with some, the program has --preset and --print-config
};

using Arguments = std::vector<std::string>;  // positional

// Sets the flags and returns the positional arguments, as many as the program takes; nullopt when
// --help, or --plugins where plugins are linked, has been answered. Errors are ParseCommandLine's
// (flags.h), and InvalidArgument for an argument that is missing, empty or unexpected.
absl::StatusOr<std::optional<Arguments>> ReadCommandLine(int argc, char** argv,
                                                         const Program& program);

// A whole main(): reads the command line, runs `body` and returns the exit code (exit_code.h).
int Main(int argc, char** argv, const Program& program,
         const std::function<absl::Status(const Arguments&)>& body);

// Sets the flags of the preset that --preset names, where they are not set yet; without --preset,
// those of `otherwise` (empty: none). InvalidArgument names the nearest of an unknown one.
absl::Status ApplyPreset(const Program& program, const std::string& otherwise);

// --print-config: print the settings instead of running.
bool PrintConfig();

}  // namespace base

#endif  // BASE_PROGRAM_H_
