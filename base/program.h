// The start of every program. A program's main file defines its flags (flags.h), describes the rest
// in a Program, and calls Main:
//
//   DEFINE_int64(images, 0, "[data: at least 0] images to sample; 0: all");
//
//   absl::Status Stats(const std::vector<std::string>& arguments) { ... arguments[0] ... }
//
//   int main(int argc, char** argv) {
//     return base::Main(argc, argv, {.usage = kUsage, .arguments = "DATA"}, Stats);
//   }
//
// Every flag defined in the program or in a library that it links belongs to it.
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

// Named values of flags, chosen by --preset=NAME.
struct Preset {
  std::string name, summary;
  std::vector<std::pair<std::string, std::string>> flags;  // flag, value; must be valid
};

struct Program {
  std::string usage;  // what the program does, with examples; --help prints it first
  // The positional arguments as in a usage line: "DATA OUT", "BANK [QUERIES]", "FILE...".
  std::string arguments = {};
  // Instead of `arguments`: the flag that a single positional argument sets.
  std::string argument_flag = {};
  std::vector<Preset> presets = {};  // if not empty, the program has --preset and --print-config
};

using Arguments = std::vector<std::string>;  // positional

// Sets the flags and returns the positional arguments, as many as the program takes; nullopt if
// --help or (in a program with plugins) --plugins has been answered. Errors are those of
// ParseCommandLine (flags.h), and InvalidArgument for an argument that is missing, empty or
// unexpected.
absl::StatusOr<std::optional<Arguments>> ReadCommandLine(int argc, char** argv,
                                                         const Program& program);

// A whole main(): reads the command line, runs `body` and returns the exit code (exit_code.h).
int Main(int argc, char** argv, const Program& program,
         const std::function<absl::Status(const Arguments&)>& body);

// Sets those flags of the preset named by --preset that are not set yet; without --preset, those of
// the preset `otherwise` (empty: none). InvalidArgument for an unknown preset suggests the nearest
// one.
absl::Status ApplyPreset(const Program& program, const std::string& otherwise);

// Whether --print-config is given: print the settings instead of running.
bool PrintConfig();

}  // namespace base

#endif  // BASE_PROGRAM_H_
