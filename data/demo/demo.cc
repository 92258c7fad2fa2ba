#include "data/demo/demo.h"

#include <filesystem>

#include "absl/status/status.h"
#include "base/runfiles.h"

namespace data {

absl::StatusOr<std::string> DemoFolder() {
  const std::string train = base::FindRunfile("data/demo/train");
  if (!train.empty()) return std::filesystem::path(train).parent_path().string();
  return absl::NotFoundError(
      "the demo's images are not beside the program; start it with bazel run, or give --data");
}

}  // namespace data
