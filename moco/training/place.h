// The folder to which a run writes, and the checkpoints that it already contains.
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
  std::string
      run_dir;  // absolute; empty: the folder that the world names, or a new folder in ./runs
  std::string suffix;  // end of the name of a new folder, such as "-lincls"
  // Whether the run continues one in the folder; if not, checkpoints in the folder are an error.
  bool resumes = false;
  std::function<std::vector<std::string>(const std::string& run_folder)> list_checkpoints;
  // Whether the program writes nothing to the folder, so that Find does not lock it.
  bool only_looks = false;
};

// The functions are collective: all ranks use the folder and the checkpoints that rank 0 finds.
class RunPlace {
 public:
  // Locks the folder, if it exists (unless it only looks), because a run that is still active may
  // write another checkpoint. AlreadyExists if it contains checkpoints and the run does not resume;
  // errors of base::RunFolder::Open.
  static absl::StatusOr<RunPlace> Find(const RunPlaceOptions& options, const World& world);

  // Creates and locks the folder, unless Find has locked it. This comes after all checks, so that a
  // refused run leaves no folder. Rank 0 writes the run's description to it, and the output of the
  // other ranks goes to their logs. `flagfile`: see WriteRunDescription.
  absl::Status Open(const World& world, const std::string& flagfile, int loader_threads);

  const std::string& path() const { return path_; }  // empty before Open if the folder is new
  const std::vector<std::string>& checkpoints() const { return checkpoints_; }  // oldest first
  // Null on all ranks except rank 0.
  base::RunFolder* folder() { return folder_ ? &*folder_ : nullptr; }

 private:
  absl::Status Lock(const World& world);

  RunPlaceOptions options_;
  std::string path_;
  std::optional<base::RunFolder> folder_;
  std::vector<std::string> checkpoints_;
};

}  // namespace moco

#endif  // MOCO_TRAINING_PLACE_H_
