#include "moco/heads/head.h"

namespace moco {

HeadRegistry& Heads() {
  static HeadRegistry& table = *new HeadRegistry("head");
  return table;
}

}  // namespace moco
