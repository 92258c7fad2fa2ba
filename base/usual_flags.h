// What the flags of a program are without a command line, to tell what a user has changed.
#ifndef BASE_USUAL_FLAGS_H_
#define BASE_USUAL_FLAGS_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace base {

// The value of each flag by its name: that in `preset` (flag, value), or its default. Names and
// values are written as Flagfile() (flags.h) writes them.
std::map<std::string, std::string> UsualFlags(
    const std::vector<std::pair<std::string, std::string>>& preset);

}  // namespace base

#endif  // BASE_USUAL_FLAGS_H_
