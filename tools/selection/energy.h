// Energies as plugins: an energy says how unusual or how hard an image is. Balanced selections take
// images of high and of low energy in equal parts.
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

  // The number of nearest neighbours of each row that the energy needs.
  virtual int64_t neighbours() const = 0;

  // Returns a finite number for each row of the features: N. `found` has at least as many
  // neighbours per row as the energy needs, or all that exist.
  virtual std::vector<float> Of(const lincls::FeatureTable& table,
                                const Neighbours& found) const = 0;
};

// A factory returns an error with the remedy if the table lacks what the energy needs.
using EnergyRegistry = registry::Registry<Energy, const lincls::FeatureTable&>;
EnergyRegistry& Energies();

}  // namespace selection

#endif  // TOOLS_SELECTION_ENERGY_H_
