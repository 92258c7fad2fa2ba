// Whether a checkpoint is of this run, and where the run goes on.
#ifndef MOCO_RESUME_H_
#define MOCO_RESUME_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "moco/checkpoint.h"

namespace moco {

// Name (a flag's, where one sets it) and value, as a checkpoint holds them.
using Settings = std::vector<std::pair<std::string, std::string>>;

// OK when the checkpoint, where it says anything, says the same; InvalidArgument names the first
// difference. To be read after the checkpoint's name, like all messages here.
absl::Status CheckSettings(const Checkpoint& checkpoint, const Settings& settings);

// What differs where it may: "lr was 0.03, is 0.5; ...". Empty when nothing does.
std::string DescribeDifferences(const Checkpoint& checkpoint, const Settings& settings);

// The step that comes next, at least 0 and below last_step. DataLoss when what the checkpoint says
// cannot be, InvalidArgument when the run is at its end.
absl::StatusOr<int64_t> NextStep(const Checkpoint& checkpoint, int64_t steps_per_epoch,
                                 int64_t last_step);

}  // namespace moco

#endif  // MOCO_RESUME_H_
