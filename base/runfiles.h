// Files that Bazel lays out beside a program: its `data`.
#ifndef BASE_RUNFILES_H_
#define BASE_RUNFILES_H_

#include <string>

namespace base {

// Returns the place of a file or folder of this repository ("data/demo") that this program, or the
// program or test that has started it, has as data; empty if there is none.
std::string FindRunfile(const std::string& path);

}  // namespace base

#endif  // BASE_RUNFILES_H_
