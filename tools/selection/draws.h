// The random numbers of a selection: one stream for each thing that is drawn.
#ifndef TOOLS_SELECTION_DRAWS_H_
#define TOOLS_SELECTION_DRAWS_H_

#include <cstdint>

#include "base/rng.h"

namespace selection {

enum class Draw : uint64_t { kClusters = 0, kRecall = 1, kStrategy = 2, kMap = 3 };

inline base::Rng DrawsFor(uint64_t seed, Draw draw) {
  return base::Rng(seed, base::Purpose::kSelection, static_cast<uint64_t>(draw));
}

}  // namespace selection

#endif  // TOOLS_SELECTION_DRAWS_H_
