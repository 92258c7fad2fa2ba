// Strategies: which images to label, as plugins.
#ifndef TOOLS_SELECTION_STRATEGY_H_
#define TOOLS_SELECTION_STRATEGY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/rng.h"
#include "registry/registry.h"
#include "tools/selection/clusters.h"
#include "tools/selection/neighbours.h"
#include "tools/selection/rows.h"
#include "tools/selection/selection.h"

namespace selection {

// What a strategy chooses from. What it does not need (Needs) is empty.
struct Pool {
  const Rows& rows;
  std::vector<int64_t> candidates = {};  // rows that can be chosen, ascending
  std::vector<int64_t> labelled = {};    // rows that have labels, ascending
  Clusters clusters = {};                // of all rows
  Neighbours neighbours = {};
  std::vector<float> energies = {};  // N
};

class Strategy {
 public:
  virtual ~Strategy() = default;

  struct Needs {
    int64_t clusters = 0;    // number of clusters unless --clusters is given; 0: none
    int64_t neighbours = 0;  // of each row
    bool energy = false;
  };
  // Of `images`, `labelled` have labels, and `budget` (at least 1) are to be chosen.
  virtual Needs needs(int64_t images, int64_t labelled, int64_t budget) const = 0;

  struct Choice {
    std::vector<Stratum> strata;
    std::vector<std::string> notes;  // as in Selection
  };
  // Returns `budget` of the candidates, each at most once; budget: 1 to the number of candidates.
  // All random numbers come from `rng`.
  virtual Choice Choose(const Pool& pool, int64_t budget, base::Rng& rng) const = 0;
};

using StrategyRegistry = registry::Registry<Strategy>;
StrategyRegistry& Strategies();

// Divides `total` into shares as evenly as `room` allows. No share exceeds its room, and a share
// that is not limited by its room is at most 1 smaller than any other. Where shares differ by 1,
// the first in `order` (a permutation) get the larger ones. total: 0 to the sum of room.
std::vector<int64_t> ShareOut(int64_t total, const std::vector<int64_t>& room,
                              const std::vector<int64_t>& order);
// The same without limits.
std::vector<int64_t> ShareOut(int64_t total, const std::vector<int64_t>& order);

}  // namespace selection

#endif  // TOOLS_SELECTION_STRATEGY_H_
