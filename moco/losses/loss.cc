#include "moco/losses/loss.h"

namespace moco {

LossRegistry& Losses() {
  static LossRegistry& table = *new LossRegistry("loss");
  return table;
}

}  // namespace moco
