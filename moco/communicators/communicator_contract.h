// What every communicator keeps when each of its processes does the same.
#ifndef MOCO_COMMUNICATORS_COMMUNICATOR_CONTRACT_H_
#define MOCO_COMMUNICATORS_COMMUNICATOR_CONTRACT_H_

#include "moco/communicators/communicator.h"

namespace moco {

// Called on each rank of a communicator, with tensors of `device`; failures are those of
// GoogleTest.
void ExpectContract(Communicator& communicator, at::Device device = at::kCPU);

}  // namespace moco

#endif  // MOCO_COMMUNICATORS_COMMUNICATOR_CONTRACT_H_
