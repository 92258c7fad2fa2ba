// How the user starts the programs: by `bazel run`, or by the launcher of a bundle (tools/bundle),
// which says in the environment variable MOCOPP_STARTED_AS what the user types for it.
//
// The code, --help included, names commands in Bazel's form. Under a launcher all that a program
// prints passes through AsStarted; only what goes into a file has to call it.
#ifndef BASE_STARTED_H_
#define BASE_STARTED_H_

#include <string>

namespace base {

// Returns `text` in which each command for a program of ours names the way in which this program
// was started: "bazel run //moco:pretrain -- DIR" becomes "mocopp pretrain DIR" under the launcher
// `mocopp`. Other commands stay as they are, and without a launcher the whole text does.
std::string AsStarted(const std::string& text);

// Makes stdout and stderr pass what is printed through AsStarted, if there is a launcher. To be
// called once, before anything is printed; RunMain (exit_code.h) does.
void PrintAsStarted();

}  // namespace base

#endif  // BASE_STARTED_H_
