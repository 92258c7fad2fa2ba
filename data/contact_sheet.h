// Many images as one picture.
#ifndef DATA_CONTACT_SHEET_H_
#define DATA_CONTACT_SHEET_H_

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <vector>

#include "data/dataset.h"

namespace data {

// Images `indices` (at least one) of `dataset` in a grid of `columns`, row after row: 8-bit RGB,
// columns * tile pixels wide. Each image is scaled to fit a square of `tile` pixels, and centred on
// white. A crossed square stands for an image that cannot be read.
cv::Mat ContactSheet(const Dataset& dataset, const std::vector<int64_t>& indices, int columns,
                     int tile);

// Scales `image`, 8-bit RGB, to fit the square `square` of such pixels, and centres it.
void FitSquare(const cv::Mat& image, cv::Mat square);

}  // namespace data

#endif  // DATA_CONTACT_SHEET_H_
