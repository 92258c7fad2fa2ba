// Whether a checkpoint is of this run, which one a run goes on from, and where.
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

// The identity of a run that starts with these settings, for CheckpointFacts::run; it stays with
// the run whatever is changed on the way. A function of the settings, so that the same run started
// twice writes the same files.
std::string NewRunId(const Settings& settings);

// The identity of the run that a checkpoint is of. Of one that does not say it, such as the
// reference's, a function of its tensors: the run that goes on from it remembers it by that.
std::string RunId(const Checkpoint& checkpoint);

// What a run goes on from.
struct ResumePoint {
  std::string path;
  Checkpoint checkpoint;
  std::string note;  // why it is not the one that was asked for; empty when it is

  struct Damaged {
    std::string path, why;
  };
  std::vector<Damaged> damaged;  // newer ones, which were passed over

  std::string differences;  // from CheckRun: what is not as it was,
  std::string forced;       // and what is so for a reason, with the reason
};

// The newest whole checkpoint of a run: `asked`, or a newer one of the same run among `in_folder`
// (oldest first). Where `asked` is empty, not there or damaged, the newest of these. Errors are
// those of ReadCheckpoint for the only one there is; AlreadyExists when what is newer in the folder
// is of another run.
absl::StatusOr<ResumePoint> FindResumePoint(const std::string& asked,
                                            const std::vector<std::string>& in_folder);

// What is, or should be, the same as in a checkpoint.
struct RunSettings {
  Settings identity;    // must be: it is another run otherwise
  Settings forceable;   // may be otherwise when somebody says why, by --force
  Settings changeable;  // may be otherwise; it is told

  Settings All() const;
};

// OK when the checkpoint, where it says anything, says the same where it must; InvalidArgument
// names the first difference, to be read after the checkpoint's name. Sets differences and forced.
absl::Status CheckRun(const RunSettings& settings, const std::string& force, ResumePoint& point);

// Renames the damaged checkpoints that were passed over to "<path>.damaged", out of the way of
// those that the run will write. Returns a warning for each.
std::vector<std::string> PutAsideDamaged(const ResumePoint& point);

// Lines that say where the run goes on and what has changed since the checkpoint.
std::vector<std::string> DescribeResume(const ResumePoint& point, int64_t step,
                                        int64_t steps_per_epoch, int64_t last_step,
                                        const std::string& force);

// The step that comes next, at least 0 and below last_step; the first of the checkpoint's epoch
// when its epochs had another number of steps. With `may_be_done` also last_step. DataLoss when
// what the checkpoint says cannot be, InvalidArgument when the run is at its end.
absl::StatusOr<int64_t> NextStep(const Checkpoint& checkpoint, int64_t steps_per_epoch,
                                 int64_t last_step, bool may_be_done = false);

}  // namespace moco

#endif  // MOCO_CHECKPOINTS_RESUME_H_
