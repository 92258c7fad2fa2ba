// Space on the disk.
#ifndef BASE_DISK_H_
#define BASE_DISK_H_

#include <optional>
#include <string>

namespace base {

// Returns the bytes that are free where `folder` (absolute) is, or would be made; nullopt if that
// is not known.
std::optional<double> FreeBytes(const std::string& folder);

}  // namespace base

#endif  // BASE_DISK_H_
