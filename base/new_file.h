// Files that a program will write when it has done its work, checked before it begins.
#ifndef BASE_NEW_FILE_H_
#define BASE_NEW_FILE_H_

#include <string>

#include "absl/status/status.h"

namespace base {

// AlreadyExists if there is a file at `path`; NotFound or PermissionDenied if none can be made
// there. `flag` ("--out") is named as the remedy. OK if `path` is empty: no file is asked for.
absl::Status CheckNewFile(const std::string& path, const std::string& flag);

}  // namespace base

#endif  // BASE_NEW_FILE_H_
