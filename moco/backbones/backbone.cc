#include "moco/backbones/backbone.h"

namespace moco {

BackboneRegistry& Backbones() {
  static BackboneRegistry& table = *new BackboneRegistry("backbone");
  return table;
}

}  // namespace moco
