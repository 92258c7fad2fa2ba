#include "base/disk.h"

#include <filesystem>
#include <system_error>

namespace base {

std::optional<double> FreeBytes(const std::string& folder) {
  for (std::filesystem::path path = folder;; path = path.parent_path()) {
    std::error_code error;
    const auto space = std::filesystem::space(path, error);
    if (!error) return static_cast<double>(space.available);
    if (path == path.parent_path()) return std::nullopt;
  }
}

}  // namespace base
