#include "base/runfiles.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

namespace base {

std::string FindRunfile(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::vector<fs::path> roots = {fs::read_symlink("/proc/self/exe", error).string() + ".runfiles"};
  for (const char* variable : {"RUNFILES_DIR", "TEST_SRCDIR"}) {
    if (const char* folder = std::getenv(variable)) roots.emplace_back(folder);
  }
  for (const fs::path& root : roots) {
    const fs::path file = root / "mocopp" / path;
    if (fs::exists(file, error)) return file.string();
  }
  return "";
}

}  // namespace base
