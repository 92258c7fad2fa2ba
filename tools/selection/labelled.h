// Which images need no label, because they have one or one was requested.
#ifndef TOOLS_SELECTION_LABELLED_H_
#define TOOLS_SELECTION_LABELLED_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "lincls/tables/feature_table.h"

namespace selection {

struct Labelled {
  std::vector<bool> rows;            // N: the image has a label, or one was requested
  std::vector<std::string> reasons;  // what excluded how many images, one sentence each
};

// Finds the images with a label in the table; those of all requests (data/requests.h) in `folder`,
// with or without labels (an empty `folder` is skipped); and those of `lists`, which have the
// format of a request. InvalidArgument, NotFound and DataLoss name the file and the line of a list
// that cannot be read, an image in two lists, a line that is neither the header nor an image, a
// number of labels that differs from the number of images, labels without a list, or a list without
// any image of the table.
absl::StatusOr<Labelled> FindLabelled(const lincls::FeatureTable& table, const std::string& folder,
                                      const std::vector<std::string>& lists);

}  // namespace selection

#endif  // TOOLS_SELECTION_LABELLED_H_
