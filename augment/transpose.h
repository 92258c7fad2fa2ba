// Rows become columns.
#ifndef AUGMENT_TRANSPOSE_H_
#define AUGMENT_TRANSPOSE_H_

#include <opencv2/core/mat.hpp>

namespace augment {

// `image` with rows and columns exchanged, a new image. Takes pixels of any size, unlike
// cv::transpose.
cv::Mat Transposed(const cv::Mat& image);

}  // namespace augment

#endif  // AUGMENT_TRANSPOSE_H_
