// Which images need not be asked for again.
#ifndef TOOLS_SELECTION_LABELLED_H_
#define TOOLS_SELECTION_LABELLED_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "lincls/tables/feature_table.h"

namespace selection {

struct Labelled {
  std::vector<bool> rows;            // N: has a label, or was asked for
  std::vector<std::string> reasons;  // what excluded how many: a sentence each
};

// Images with a label in the table; those of all requests (data/requests.h) in `folder`, whether
// their labels have come or not, unless it is empty; and those of `lists`, in a request's form.
// InvalidArgument, NotFound and DataLoss name the file, and the line: a list that cannot be read,
// an image in two of them, a first line that is neither a header nor an image, labels that are not
// as many as images or have no list, and a list of which no image is in the table.
absl::StatusOr<Labelled> FindLabelled(const lincls::FeatureTable& table, const std::string& folder,
                                      const std::vector<std::string>& lists);

}  // namespace selection

#endif  // TOOLS_SELECTION_LABELLED_H_
