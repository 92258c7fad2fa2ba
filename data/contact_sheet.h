// Many images as one.
#ifndef DATA_CONTACT_SHEET_H_
#define DATA_CONTACT_SHEET_H_

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <vector>

#include "data/dataset.h"

namespace data {

// Images `indices` (at least one) of `dataset` in a grid of `columns`, row after row, each scaled
// into a square of `tile` pixels and centred, RGB, white around them: 8 bits, columns * tile wide.
// An image that cannot be read leaves a crossed square.
cv::Mat ContactSheet(const Dataset& dataset, const std::vector<int64_t>& indices, int columns,
                     int tile);

}  // namespace data

#endif  // DATA_CONTACT_SHEET_H_
