// Parts of a data set.
#ifndef DATA_SUBSET_H_
#define DATA_SUBSET_H_

#include <cstdint>
#include <memory>

#include "data/dataset.h"

namespace data {

// A `fraction` (above 0, at most 1) of the images of each class, rounded up, so that no class is
// empty. They are a function of (seed, class), and keep the order of `dataset`, in which every
// image must have a label.
std::unique_ptr<Dataset> FractionOfLabels(std::unique_ptr<Dataset> dataset, double fraction,
                                          uint64_t seed);

// `count` images drawn at random, or all if there are no more. They are a function of the number of
// images and the seed, and keep the order of `dataset`, which must outlive the result.
std::unique_ptr<Dataset> RandomSample(const Dataset& dataset, int64_t count, uint64_t seed);

}  // namespace data

#endif  // DATA_SUBSET_H_
