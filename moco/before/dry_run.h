// What a run takes, printed instead of the run.
#ifndef MOCO_BEFORE_DRY_RUN_H_
#define MOCO_BEFORE_DRY_RUN_H_

#include <string>

#include "absl/status/status.h"
#include "data/dataset.h"
#include "moco/communicators/communicator.h"
#include "moco/training/trainer.h"

namespace moco {

// Prints what the rest of the run takes (DescribeCost), warnings if that is more than there is, and
// CostJson as the last line, for programs. Tries a few steps to know the time, unless the run would
// take most of the machine's memory. `folder`: where the run would write. Errors are those of
// TrySteps.
absl::Status DryRun(const RunPlan& plan, const data::Dataset& dataset, const std::string& folder,
                    Communicator& communicator);

}  // namespace moco

#endif  // MOCO_BEFORE_DRY_RUN_H_
