// An image with few near neighbours has a high energy: -t log(sum over the nearest neighbours of
// exp(cosine / t)). This is the free energy of Liu et al., "Energy-based out-of-distribution
// detection" (NeurIPS 2020, equation 4), with a kernel density estimate in place of a classifier's
// logits.
#include <algorithm>
#include <cmath>

#include "tools/selection/energy.h"

namespace selection {
namespace {

struct DensityOptions {
  int64_t neighbours = 20;
  double t = 0.1;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("neighbours", neighbours, "number of neighbours in the sum", registry::Between(1, 1000));
    v("t", t, "temperature; the lower it is, the more only the nearest neighbours count",
      registry::Between(0.01, 10));
  }
};

class Density : public Energy {
 public:
  explicit Density(const DensityOptions& options) : options_(options) {}

  int64_t neighbours() const override { return options_.neighbours; }

  std::vector<float> Of(const lincls::FeatureTable& table, const Neighbours& found) const override {
    const int64_t k = std::min(options_.neighbours, found.k);
    std::vector<float> energies(table.size(), 0);  // without neighbours, all energies are equal
    for (int64_t row = 0; row < table.size() && k > 0; ++row) {
      const float* cosines = found.similarities.data() + row * found.k;  // largest first
      double sum = 0;
      for (int64_t i = 0; i < k; ++i) sum += std::exp((cosines[i] - cosines[0]) / options_.t);
      energies[row] = static_cast<float>(-cosines[0] - options_.t * std::log(sum));
    }
    return energies;
  }

 private:
  const DensityOptions options_;
};

absl::StatusOr<std::unique_ptr<Energy>> MakeDensity(const DensityOptions& options,
                                                    const lincls::FeatureTable&) {
  return std::make_unique<Density>(options);
}

REGISTER_PLUGIN(Energies, "density", "high for images whose nearest neighbours are far away",
                DensityOptions, MakeDensity);

}  // namespace
}  // namespace selection
