// Conversion between a model in memory and its checkpoint: everything that the next step depends
// on.
#ifndef MOCO_TRAINING_TRAINING_STATE_H_
#define MOCO_TRAINING_TRAINING_STATE_H_

#include "absl/status/status.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/moco.h"

namespace moco {

// Returns both encoders, the queue and its pointer, and the optimizer's state, with the reference's
// names. Tensors are shared with the model, not copied: write the checkpoint before the next step.
void Capture(MoCo& moco, Checkpoint& checkpoint);

// The inverse: afterwards the next step of the model is the one that the captured model would have
// made. InvalidArgument, naming the first difference, if names or shapes differ; the model must
// then not be used.
absl::Status Restore(const Checkpoint& checkpoint, MoCo& moco);

}  // namespace moco

#endif  // MOCO_TRAINING_TRAINING_STATE_H_
