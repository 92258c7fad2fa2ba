#include "data/demo/demo.h"

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace data {

absl::StatusOr<std::string> DemoFolder() {
  namespace fs = std::filesystem;
  std::error_code error;
  // Bazel lays a program's data out beside it, or beside the program or test that starts it.
  const std::string program = fs::read_symlink("/proc/self/exe", error).string();
  std::vector<fs::path> runfiles = {program + ".runfiles"};
  for (const char* variable : {"RUNFILES_DIR", "TEST_SRCDIR"}) {
    if (const char* folder = std::getenv(variable)) runfiles.emplace_back(folder);
  }
  for (const fs::path& root : runfiles) {
    const fs::path folder = root / "mocopp/data/demo";
    if (fs::exists(folder / "train", error)) return folder.string();
  }
  return absl::NotFoundError(absl::StrCat("the demo's images are not at '", runfiles[0].string(),
                                          "'; start the program with bazel run, or give --data"));
}

}  // namespace data
