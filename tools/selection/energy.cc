#include "tools/selection/energy.h"

namespace tools {

EnergyRegistry& Energies() {
  static EnergyRegistry& table = *new EnergyRegistry("energy");
  return table;
}

}  // namespace tools
