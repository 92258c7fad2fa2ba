// Between an optimizer in memory and its part of a checkpoint.
#ifndef MOCO_CHECKPOINTS_OPTIMIZER_STATE_H_
#define MOCO_CHECKPOINTS_OPTIMIZER_STATE_H_

#include "absl/status/status.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/optimizers/optimizer.h"

namespace moco {

// The constants and slots; learning rate and number of parameters are the caller's to set. Tensors
// are shared with the optimizer, not copied.
void CaptureOptimizer(const Optimizer& optimizer, Checkpoint::OptimizerState& state);

// Copies the slots into the optimizer's. InvalidArgument, naming the first difference, when one is
// missing or of another shape.
absl::Status RestoreOptimizer(const Checkpoint::OptimizerState& state, const Optimizer& optimizer);

}  // namespace moco

#endif  // MOCO_CHECKPOINTS_OPTIMIZER_STATE_H_
