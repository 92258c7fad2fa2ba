// Whether a checkpoint belongs to a run, and from which checkpoint and step a run resumes.
#ifndef MOCO_CHECKPOINTS_RESUME_H_
#define MOCO_CHECKPOINTS_RESUME_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/communicators/agreement.h"

namespace moco {

// Returns the identity of a run that starts with these settings, for CheckpointFacts::run. The run
// keeps it even if settings change later. It depends only on the settings, so that the same run
// started twice writes the same files.
std::string NewRunId(const Settings& settings);

// Returns a fingerprint of the beginnings of tensors, which any training step changes (16
// hexadecimal digits).
std::string HashOf(const StateDict& state);

// Returns the identity of the run that a checkpoint belongs to. If the checkpoint does not name it,
// as those of the reference, it is computed from the tensors, and the run that resumes from the
// checkpoint keeps it.
std::string RunId(const Checkpoint& checkpoint);

// The checkpoint from which a run resumes.
struct ResumePoint {
  std::string path;
  Checkpoint checkpoint;
  std::string note;  // why it is not the requested one; empty if it is

  struct Damaged {
    std::string path, why;
  };
  std::vector<Damaged> damaged;  // newer checkpoints, which were skipped

  std::string differences;  // set by CheckRun: settings that have changed
  std::string forced;       // set by CheckRun: differences allowed by --force, and the reason
};

// Finds the newest undamaged checkpoint of a run: `asked`, or a newer one of the same run in
// `in_folder` (oldest first). If `asked` is empty, missing or damaged, the newest in `in_folder`.
// If no checkpoint can be used, returns the error of ReadCheckpoint; AlreadyExists if a newer
// checkpoint in the folder belongs to another run.
absl::StatusOr<ResumePoint> FindResumePoint(const std::string& asked,
                                            const std::vector<std::string>& in_folder);

// Settings that are digests of the images' names (data/image_names.h): of those that a run trains
// on, and of lincls' validation images. An error does not show their values.
inline constexpr char kImageNamesSetting[] = "image-names";
inline constexpr char kValidationNamesSetting[] = "validation-names";

// The settings of a run, by what happens if a checkpoint has other values.
struct RunSettings {
  Settings identity;    // a difference is an error: it would be another run
  Settings forceable;   // a difference is an error unless --force gives a reason
  Settings changeable;  // a difference is reported

  Settings All() const;
};

// Compares the settings with those that the checkpoint holds. InvalidArgument, to be read after the
// checkpoint's name, names the first difference that is not allowed. Sets point.differences and
// point.forced.
absl::Status CheckRun(const RunSettings& settings, const std::string& force, ResumePoint& point);

// Renames the damaged checkpoints that were skipped to "<path>.damaged", so that they do not hide
// those that the run will write. Returns a warning for each.
std::vector<std::string> PutAsideDamaged(const ResumePoint& point);

// Returns lines that say where the run resumes and what has changed since the checkpoint.
std::vector<std::string> DescribeResume(const ResumePoint& point, int64_t step,
                                        int64_t steps_per_epoch, int64_t last_step,
                                        const std::string& force);

// Returns the next step, 0 to last_step - 1: the one after the checkpoint, or the first of its
// epoch if its epochs had another number of steps. With `may_be_done`, also last_step. DataLoss if
// the checkpoint holds no valid step, InvalidArgument if no step is left.
absl::StatusOr<int64_t> NextStep(const Checkpoint& checkpoint, int64_t steps_per_epoch,
                                 int64_t last_step, bool may_be_done = false);

}  // namespace moco

#endif  // MOCO_CHECKPOINTS_RESUME_H_
