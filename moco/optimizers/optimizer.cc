#include "moco/optimizers/optimizer.h"

namespace moco {

OptimizerRegistry& Optimizers() {
  static OptimizerRegistry& table = *new OptimizerRegistry("optimizer");
  return table;
}

}  // namespace moco
