// From features to the images that are to be labelled.
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
  std::string energy = "";            // empty: density, where the strategy needs one
  int64_t clusters = 0;               // 0: as many as the strategy says
  double duplicates = 0.99;           // cosine above which images are near duplicates; 1: none are
  uint64_t seed = 0;
};

// Chooses `budget` images that are not `labelled` (N). A function of the features, `labelled` and
// the options, on one type of CPU with one number of threads. InvalidArgument where more is asked
// for than there is, for specs that plugins refuse, and for features that are not finite or all the
// same. `progress` is told what is being done.
absl::StatusOr<Selection> Select(const lincls::FeatureTable& table,
                                 const std::vector<bool>& labelled, const SelectOptions& options,
                                 const std::function<void(const std::string&)>& progress);

}  // namespace selection

#endif  // TOOLS_SELECTION_SELECT_H_
