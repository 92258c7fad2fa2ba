// Conversion between an optimizer in memory and its part of a checkpoint.
#ifndef MOCO_CHECKPOINTS_OPTIMIZER_STATE_H_
#define MOCO_CHECKPOINTS_OPTIMIZER_STATE_H_

#include "absl/status/status.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/optimizers/optimizer.h"

namespace moco {

// Returns the constants and slots; the caller sets the learning rate and the number of parameters.
// Tensors are shared with the optimizer, not copied.
void CaptureOptimizer(const Optimizer& optimizer, Checkpoint::OptimizerState& state);

// Copies the slots into the optimizer. InvalidArgument, naming the first difference, if one is
// missing or has another shape.
absl::Status RestoreOptimizer(const Checkpoint::OptimizerState& state, const Optimizer& optimizer);

}  // namespace moco

#endif  // MOCO_CHECKPOINTS_OPTIMIZER_STATE_H_
