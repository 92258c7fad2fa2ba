// Command lines, on gflags: the flags are gflags', the errors and the spelling are kinder.
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
// `aliases` are other names of flags ("b" -> "batch_size"), also of some that are not there. A flag
// that is given several numbers
// (`--schedule 60 80`), or none, takes them all when it is in `lists`.
// InvalidArgument names an unknown flag with the nearest known one, the flags that an ambiguous
// beginning could be, a value of the wrong type or not finite, and a missing value; in a flagfile,
// the file too.
absl::StatusOr<CommandLine> ParseCommandLine(int argc, char** argv,
                                             const std::map<std::string, std::string>& aliases,
                                             const std::vector<std::string>& lists = {});

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

// Help of the flags defined in `file`: name, default and description.
std::string FlagHelp(const std::string& file);

// Help of the flags defined in `files`, below the heading of each one's theme, in the order of
// `themes`: a description begins with it, "[data] threads that load images". A flag without one of
// the themes is a fault of the program. Of a flag with other names (ParseCommandLine's) all stand.
std::string FlagHelpByTheme(const std::vector<std::string>& files,
                            const std::vector<std::string>& themes,
                            const std::map<std::string, std::string>& aliases);

// OK when the flag's value is in [low, high]; otherwise (NaN too) InvalidArgument names the flag,
// the value and the range.
absl::Status CheckFlag(const std::string& flag, double value, double low, double high);

// The numbers of a flag that takes several, with spaces or commas between them. InvalidArgument
// when there is none, when one is no number, and as CheckFlag.
absl::StatusOr<std::vector<double>> ReadNumbers(const std::string& flag, const std::string& text,
                                                double low, double high);

}  // namespace base

#endif  // BASE_FLAGS_H_
