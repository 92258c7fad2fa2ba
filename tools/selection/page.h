// A page that shows what was chosen and why, to be read before paying for labels.
#ifndef TOOLS_SELECTION_PAGE_H_
#define TOOLS_SELECTION_PAGE_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "lincls/tables/feature_table.h"
#include "tools/selection/selection.h"

namespace selection {

struct PageOptions {
  std::string request = {};                     // the name of the list
  const lincls::TableImages* images = nullptr;  // null: a page without pictures
  // Called with the number of pictures that have been read, of all.
  std::function<void(int64_t done, int64_t all)> progress = nullptr;
};

// Returns one HTML file that needs no network. It shows the settings, the notes, the strata by kind
// and by cluster with their counts and contact sheets, a map of the features' first two principal
// components with the chosen images and a sample of the others, and histograms of the energies. It
// shows as many pictures as fit into kPicturesBytes, the first ones of each stratum, and says how
// many. InvalidArgument if a feature that is read is not finite.
absl::StatusOr<std::string> Page(const lincls::FeatureTable& table, Selection selection,
                                 const PageOptions& options);

// Size of all pictures together, as JPEG files. In the page they take a third more.
inline constexpr int64_t kPicturesBytes = 16'000'000;

}  // namespace selection

#endif  // TOOLS_SELECTION_PAGE_H_
