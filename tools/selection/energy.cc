#include "tools/selection/energy.h"

namespace selection {

EnergyRegistry& Energies() {
  static EnergyRegistry& table = *new EnergyRegistry("energy");
  return table;
}

}  // namespace selection
