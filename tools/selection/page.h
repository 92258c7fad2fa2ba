// A page to look at before paying for labels: what was chosen, and why.
#ifndef TOOLS_SELECTION_PAGE_H_
#define TOOLS_SELECTION_PAGE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "lincls/tables/feature_table.h"
#include "tools/selection/selection.h"

namespace selection {

struct PageOptions {
  std::string request = {};                     // the list of what was chosen
  const lincls::TableImages* images = nullptr;  // null: a page without pictures
};

// One HTML file that asks no network: the settings, the notes, the strata by kind and by cluster
// with their counts, a contact sheet of each, a map of the features' two principal components with
// what was chosen and a sample of what was not, and how energies are spread. Pictures are as many
// as go into kPicturesBytes, each stratum's first ones; the page says how many. InvalidArgument for
// features that are not finite, among those that are looked at.
absl::StatusOr<std::string> Page(const lincls::FeatureTable& table, Selection selection,
                                 const PageOptions& options);

// Of all pictures together, as JPEG files: a third more in the page.
inline constexpr int64_t kPicturesBytes = 16'000'000;

}  // namespace selection

#endif  // TOOLS_SELECTION_PAGE_H_
