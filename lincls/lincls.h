// The program that trains and validates linear classifiers, for one process or many.
#ifndef LINCLS_LINCLS_H_
#define LINCLS_LINCLS_H_

#include "absl/status/status.h"
#include "moco/training/world.h"

namespace lincls {

// Flags in, a trained run folder out. `connection` finds the other processes, if there are any.
absl::Status Lincls(int argc, char** argv, const moco::Connection& connection);

}  // namespace lincls

#endif  // LINCLS_LINCLS_H_
