// What the programs have in common on their command lines: the reference's short flags, --help,
// --plugins, and the data's folder as the one word without a flag.
#ifndef BASE_PROGRAM_H_
#define BASE_PROGRAM_H_

#include <string>

#include "absl/status/statusor.h"

namespace base {

struct Program {
  std::string usage;  // what it does, and examples; what --help prints first
  std::string file;   // that defines its flags, for example "moco/pretrain.cc"
};

// Sets the flags; a word without a flag goes to `*data`. True when the program is to go on, false
// when --help or --plugins has been answered. Errors are ParseCommandLine's, and InvalidArgument
// for a word too many.
absl::StatusOr<bool> ReadCommandLine(int argc, char** argv, const Program& program,
                                     std::string* data);

}  // namespace base

#endif  // BASE_PROGRAM_H_
