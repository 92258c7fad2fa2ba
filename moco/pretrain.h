// The program that pretrains, for one process or many.
#ifndef MOCO_PRETRAIN_H_
#define MOCO_PRETRAIN_H_

#include "absl/status/status.h"
#include "moco/training/world.h"

namespace moco {

// Flags in, a trained run folder out. `connection` finds the other processes, if there are any; the
// status is the same on all of them where the cause is.
absl::Status Pretrain(int argc, char** argv, const Connection& connection);

}  // namespace moco

#endif  // MOCO_PRETRAIN_H_
