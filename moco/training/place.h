// Where a run writes, and which checkpoints lie there already.
#ifndef MOCO_TRAINING_PLACE_H_
#define MOCO_TRAINING_PLACE_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/run_folder.h"
#include "moco/training/world.h"

namespace moco {

struct RunPlaceOptions {
  std::string run_dir;  // absolute; empty: where the world says, or a new folder below ./runs
  std::string suffix;   // of a new folder's name, such as "-lincls"
  // Whether the run goes on with what lies there; otherwise checkpoints there are an error.
  bool resumes = false;
  std::function<std::vector<std::string>(const std::string& run_folder)> list_checkpoints;
};

// The functions are collective: all ranks write where rank 0 does, and go on from what it finds.
class RunPlace {
 public:
  // Locks the folder, if it exists: a run that is still at work may write another checkpoint.
  // AlreadyExists when it holds checkpoints and the run does not resume; errors of
  // base::RunFolder::Open.
  static absl::StatusOr<RunPlace> Find(const RunPlaceOptions& options, const World& world);

  // Names, makes and locks the folder where Find did not, so that a run which is refused before
  // leaves none; writes the run's description to it (rank 0), and
  // sends what the other ranks print to their own logs. `flagfile`: see WriteRunDescription.
  absl::Status Open(const World& world, const std::string& flagfile, int loader_threads);

  const std::string& path() const { return path_; }  // empty before Open where it is a new one
  const std::vector<std::string>& checkpoints() const { return checkpoints_; }  // oldest first
  base::RunFolder* folder() {
    return folder_ ? &*folder_ : nullptr;
  }  // null on ranks but the first

 private:
  absl::Status Lock(const World& world);

  RunPlaceOptions options_;
  std::string path_;
  std::optional<base::RunFolder> folder_;
  std::vector<std::string> checkpoints_;
};

}  // namespace moco

#endif  // MOCO_TRAINING_PLACE_H_
