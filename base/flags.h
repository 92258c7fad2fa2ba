// Command lines. Flags are defined with gflags; spelling, errors and ranges are ours.
//
// The description of a flag may begin with its theme, a heading of --help, and its range:
//
//   DEFINE_int64(epochs, 200, "[optimisation: 1 to 1000000] passes over the data");
//   DEFINE_double(momentum, 0.9, "[optimisation: at least 0] momentum of the optimizer");
//   DEFINE_string(precision, "fp32", "[machine: fp32 | bf16] arithmetic");
//   DEFINE_string(lr, "1 10", "[method: numbers 0 to 100] learning rates");
//   DEFINE_string(out, "", "[output] file to write");
//
// "numbers", with or without a range, is a list separated by spaces or commas. --help prints the
// range. Every way to set the flag checks it: the command line, a flagfile, SetDefaults. The
// default itself is always allowed. A range that cannot be read is a bug in the program.
#ifndef BASE_FLAGS_H_
#define BASE_FLAGS_H_

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace base {

struct CommandLine {
  std::vector<std::string> positional;
  bool help = false;  // --help or -h was given
};

// Sets the flags in argv (without argv[0]), in every form that Python's argparse accepts: `--flag
// value`, `--flag=value`, `-flag ...`, `--bool`, `-b256`, and unambiguous prefixes of names; also
// `--nobool`. Of several values, the last one counts. `_` and `-` in names are equivalent; `--`
// ends the flags. A value that begins with `-` and is not a number requires the `=`. `--flagfile=F`
// reads more flags from a file: one `--flag=value` per line, `#` begins a comment. `aliases` are
// other names of flags ("b" -> "batch_size"); aliases of flags that the program lacks are ignored.
// A list of numbers takes several words (`--schedule 60 80`) or none. Flags in `hidden` are
// unknown. A prefix that fits several flags stands for the only one of them that is in `first`.
// InvalidArgument names an unknown flag with the nearest known one, an ambiguous prefix
// with the flags that it fits, a missing value, and a value of the wrong type, not finite or out of
// range; for a flagfile, also the file.
absl::StatusOr<CommandLine> ParseCommandLine(int argc, char** argv,
                                             const std::map<std::string, std::string>& aliases,
                                             const std::set<std::string>& hidden = {},
                                             const std::set<std::string>& first = {});

// Sets one flag. InvalidArgument if the value is of another type or out of range.
absl::Status SetFlag(const std::string& flag, const std::string& value);

// Sets those flags of `values` (flag, value) that the command line has not set. Every flag must
// exist and accept its value.
void SetDefaults(const std::vector<std::pair<std::string, std::string>>& values);

// The same from a flagfile as written by Flagfile(). InvalidArgument names the file and the flag
// that is unknown or has a value of another type.
absl::Status SetDefaultsFromFile(const std::string& path);

// Whether the command line, or SetDefaults, has set `flag`.
bool IsSet(const std::string& flag);

// Returns the flags defined in `file` that IsSet.
std::set<std::string> SetFlags(const std::string& file);

// Returns the flags defined in `file` (the end of a path, such as "moco/pretrain.cc") as a flagfile
// that sets all of them except `without`.
std::string Flagfile(const std::string& file, const std::vector<std::string>& without = {});

// Returns the help of all flags except those in `hidden`: names, default, description and range,
// below the headings of their themes. The headings come in the order of `themes`, other themes
// before the last one.
std::string FlagHelp(const std::vector<std::string>& themes,
                     const std::map<std::string, std::string>& aliases,
                     const std::set<std::string>& hidden = {});

// OK if the flag's value is in [low, high]; otherwise, and for NaN, InvalidArgument names the flag,
// the value and the range. For a range that is known only when the program runs.
absl::Status CheckFlag(const std::string& flag, double value, double low, double high);

// Returns the numbers of a flag that is a list. InvalidArgument if the list is empty, or as above.
absl::StatusOr<std::vector<double>> NumbersOf(const std::string& flag);

}  // namespace base

#endif  // BASE_FLAGS_H_
