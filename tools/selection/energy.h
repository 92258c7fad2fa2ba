// Energies: how unusual, or how hard, an image is, as plugins. Balanced selections take from high
// and low energies alike.
#ifndef TOOLS_SELECTION_ENERGY_H_
#define TOOLS_SELECTION_ENERGY_H_

#include <cstdint>
#include <vector>

#include "lincls/tables/feature_table.h"
#include "registry/registry.h"
#include "tools/selection/neighbours.h"

namespace selection {

class Energy {
 public:
  virtual ~Energy() = default;

  // The nearest neighbours that it wants to know of each row.
  virtual int64_t neighbours() const = 0;

  // A finite number for each row of the features: N. `found` has as many neighbours as it wants,
  // or more, or all that there are.
  virtual std::vector<float> Of(const lincls::FeatureTable& table,
                                const Neighbours& found) const = 0;
};

// A factory refuses, with the remedy, a table that lacks what the energy needs.
using EnergyRegistry = registry::Registry<Energy, const lincls::FeatureTable&>;
EnergyRegistry& Energies();

}  // namespace selection

#endif  // TOOLS_SELECTION_ENERGY_H_
