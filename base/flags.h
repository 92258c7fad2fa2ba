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
// "numbers", with a range or without, is a list with spaces or commas between. --help prints the
// range, and whatever sets the flag checks it: a command line, a flagfile, SetDefaults. The default
// itself is always allowed. A range that cannot be read is a fault of the program.
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

// Sets the flags that argv (argv[0] excepted) gives, in every way that Python's argparse takes:
// `--flag value`, `--flag=value`, `-flag ...`, `--bool`, `-b256`, and the beginning of a name where
// it is the only one with it; `--nobool` too. The last of several values holds. `_` and `-` in
// names are the same; `--` ends the flags. A value that begins with `-` and is no number needs the
// `=`. `--flagfile=F` reads more: one `--flag=value` a line, `#` comments.
// `aliases` are other names of flags ("b" -> "batch_size"); one whose flag is not there is ignored.
// A list of numbers takes several words (`--schedule 60 80`) or none. Flags in `hidden` are
// unknown. InvalidArgument names an unknown flag with the nearest known one, the flags that an
// ambiguous beginning could be, a value of the wrong type, not finite or out of range, and a
// missing value; in a flagfile, the file too.
absl::StatusOr<CommandLine> ParseCommandLine(int argc, char** argv,
                                             const std::map<std::string, std::string>& aliases,
                                             const std::set<std::string>& hidden = {});

// Sets one flag. InvalidArgument when it is of another type or out of range.
absl::Status SetFlag(const std::string& flag, const std::string& value);

// Sets those of `values` (flag, value) that the command line did not. Each is a flag and fits it.
void SetDefaults(const std::vector<std::pair<std::string, std::string>>& values);

// The same from a flagfile as Flagfile() writes it. InvalidArgument names the file, and the flag
// that is unknown or has a value of another type.
absl::Status SetDefaultsFromFile(const std::string& path);

// Whether the command line, or SetDefaults, has set `flag`.
bool IsSet(const std::string& flag);

// The flags defined in `file` that are so set.
std::set<std::string> SetFlags(const std::string& file);

// The flags defined in `file` (a path's end, such as "moco/pretrain.cc"), as a flagfile that sets
// them all but `without`.
std::string Flagfile(const std::string& file, const std::vector<std::string>& without = {});

// Help of all flags but those in `hidden`: names, default, description and range, below the heading
// of each one's theme. The headings come in the order of `themes`, any others before the last.
std::string FlagHelp(const std::vector<std::string>& themes,
                     const std::map<std::string, std::string>& aliases,
                     const std::set<std::string>& hidden = {});

// OK when the flag's value is in [low, high]; otherwise (NaN too) InvalidArgument names the flag,
// the value and the range. For a range that is known only when the program runs.
absl::Status CheckFlag(const std::string& flag, double value, double low, double high);

// The numbers of a flag that is a list of them. InvalidArgument when there is none, or as above.
absl::StatusOr<std::vector<double>> NumbersOf(const std::string& flag);

}  // namespace base

#endif  // BASE_FLAGS_H_
