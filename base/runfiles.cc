#include "base/runfiles.h"

#include <algorithm>
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
    // A folder for each repository. What ours is called is decided by the workspace that the
    // program was built in.
    std::vector<fs::path> repositories;
    for (const auto& entry : fs::directory_iterator(root, error)) {
      repositories.push_back(entry.path());
    }
    std::sort(repositories.begin(), repositories.end());
    for (const fs::path& repository : repositories) {
      const fs::path file = repository / path;
      if (fs::exists(file, error)) return file.string();
    }
  }
  return "";
}

}  // namespace base
