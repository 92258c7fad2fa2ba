// A part of a data set.
#ifndef DATA_SUBSET_H_
#define DATA_SUBSET_H_

#include <cstdint>
#include <memory>

#include "data/dataset.h"

namespace data {

// `fraction` (above 0, to 1) of the images of each class, rounded up, so that none is empty; which
// ones, (seed, class) decides. In the order of `dataset`, whose every image has a label.
std::unique_ptr<Dataset> FractionOfLabels(std::unique_ptr<Dataset> dataset, double fraction,
                                          uint64_t seed);

}  // namespace data

#endif  // DATA_SUBSET_H_
