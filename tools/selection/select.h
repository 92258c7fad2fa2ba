// Chooses the images to label from their features.
#ifndef TOOLS_SELECTION_SELECT_H_
#define TOOLS_SELECTION_SELECT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "lincls/tables/feature_table.h"
#include "tools/selection/selection.h"

namespace selection {

struct SelectOptions {
  int64_t budget = 0;                 // at least 1
  std::string strategy = "balanced";  // specs
  std::string energy = "";            // empty: density, if the strategy needs one
  int64_t clusters = 0;               // 0: the strategy decides
  double duplicates = 0.99;           // cosine above which images are near duplicates; 1: none are
  uint64_t seed = 0;
};

// Chooses `budget` images that are not `labelled` (N). The result depends only on the features,
// `labelled`, the options, the CPU type and the number of threads. InvalidArgument if the budget is
// larger than the number of images that can be chosen, if a plugin refuses its spec, and if
// features are not finite or all equal. `progress` is called with what is being done.
absl::StatusOr<Selection> Select(const lincls::FeatureTable& table,
                                 const std::vector<bool>& labelled, const SelectOptions& options,
                                 const std::function<void(const std::string&)>& progress);

}  // namespace selection

#endif  // TOOLS_SELECTION_SELECT_H_
