#include "moco/communicators/communicator.h"

namespace moco {

CommunicatorRegistry& Communicators() {
  static CommunicatorRegistry& table = *new CommunicatorRegistry("communicator");
  return table;
}

}  // namespace moco
