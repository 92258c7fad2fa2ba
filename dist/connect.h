// From the command line and the environment to the processes of a run.
#ifndef DIST_CONNECT_H_
#define DIST_CONNECT_H_

#include "moco/training/world.h"

namespace dist {

// Finds this process's rank (ranks.h) and meets the others through the communicator that
// --dist-backend names. Where the flags ask for several processes on this machine and nothing has
// started them yet, starts them, and ends this one with their exit code. Errors: those of FindRanks
// and of the communicator; InvalidArgument when the backend requires devices that are not
// available.
moco::Connection Processes();

}  // namespace dist

#endif  // DIST_CONNECT_H_
