// Classes of two splits, which must agree.
#ifndef DATA_CLASSES_H_
#define DATA_CLASSES_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "data/dataset.h"

namespace data {

// The same images, with labels as positions in `classes`, by the names of the classes. Classes that
// are not there come behind. Formats number the classes that they find, so a val/ that lacks a
// class, or is of another format than train/, has other numbers than train/.
std::unique_ptr<Dataset> NumberedAs(const std::vector<std::string>& classes,
                                    std::unique_ptr<Dataset> dataset);

// OK if both have the same classes, in any order. InvalidArgument names those that only one of them
// has.
absl::Status CheckSameClasses(const Dataset& training, const Dataset& validation);

}  // namespace data

#endif  // DATA_CLASSES_H_
