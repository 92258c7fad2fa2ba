#include "base/new_file.h"

#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "base/files.h"

namespace base {

absl::Status CheckNewFile(const std::string& path, const std::string& flag) {
  if (path.empty()) return absl::OkStatus();
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  std::error_code error;
  if (std::filesystem::exists(path, error)) {
    return absl::AlreadyExistsError(
        absl::StrCat("'", path, "' already exists; remove it or choose another ", flag));
  }
  if (!std::filesystem::is_directory(folder, error)) {
    return absl::NotFoundError(
        absl::StrCat("'", folder, "' is not a folder; choose another ", flag));
  }
  if (access(folder.c_str(), W_OK) != 0) return ErrnoStatus("cannot write to folder", folder);
  return absl::OkStatus();
}

}  // namespace base
