// The operations of ops.h on float images, which ops.h calls for them. They compute what
// torchvision.transforms.v2 0.26 computes on float tensors, up to rounding (1e-5; see
// tests/parity/float_images_test.py). Values are from 0 to 1; channels are 1 to 64 and interleaved,
// three of them (RGB) for operations on colours. Results are new images.
#ifndef AUGMENT_FLOAT_OPS_H_
#define AUGMENT_FLOAT_OPS_H_

#include <opencv2/core/mat.hpp>

namespace augment::floats {

cv::Mat ResizedCrop(const cv::Mat& image, const cv::Rect& box, const cv::Size& size);
cv::Mat AdjustBrightness(const cv::Mat& image, float factor);
cv::Mat AdjustContrast(const cv::Mat& image, float factor);
cv::Mat AdjustSaturation(const cv::Mat& image, float factor);
cv::Mat AdjustHue(const cv::Mat& image, double turn);
cv::Mat Grayscale(const cv::Mat& image);

// gaussian_blur with sigma = radius and a kernel of 2 ceil(3 radius) + 1 pixels (fewer if the image
// is smaller), the image being reflected at its borders.
cv::Mat GaussianBlur(const cv::Mat& image, float radius);

}  // namespace augment::floats

#endif  // AUGMENT_FLOAT_OPS_H_
