// What the programs have in common on their command lines: the reference's short flags and those
// for GPUs and several processes, --help, --plugins, presets, and the data's folder as the one word
// without a flag.
#ifndef BASE_PROGRAM_H_
#define BASE_PROGRAM_H_

#include <cstdint>
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
  std::string file;   // that defines its flags, for example "moco/pretrain.cc"
  std::vector<Preset> presets;
  std::vector<std::string> further_files;  // that define flags of the program, too
};

// Sets the flags; a word without a flag goes to `*data`. True when the program is to go on, false
// when --help or --plugins has been answered. Errors are ParseCommandLine's, and InvalidArgument
// for a word too many.
absl::StatusOr<bool> ReadCommandLine(int argc, char** argv, const Program& program,
                                     std::string* data);

// Sets the flags of the preset that --preset names, where they are not set yet; without --preset,
// those of `otherwise` (empty: none). InvalidArgument names the nearest of an unknown one.
absl::Status ApplyPreset(const Program& program, const std::string& otherwise);

// --print-config: print the settings instead of running.
bool PrintConfig();

// Of the flags that the command line gives, those that have another effect here than in the
// reference, and what is done instead: a line each, for the settings that a run of so many
// `processes` prints.
std::string FlagNotes(int64_t workers, int loader_threads, int64_t processes, bool on_cpu);

}  // namespace base

#endif  // BASE_PROGRAM_H_
