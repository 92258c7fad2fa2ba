// Pixels in another order.
#ifndef AUGMENT_TRANSPOSE_H_
#define AUGMENT_TRANSPOSE_H_

#include <opencv2/core/mat.hpp>

namespace augment {

// `image` with rows and columns exchanged, a new image. Takes pixels of any size, unlike
// cv::transpose.
cv::Mat Transposed(const cv::Mat& image);

// `image` mirrored left to right, a new image; of three bytes a pixel, several times as fast as
// cv::flip of OpenCV 4.6.
cv::Mat Mirrored(const cv::Mat& image);

}  // namespace augment

#endif  // AUGMENT_TRANSPOSE_H_
