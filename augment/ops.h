// Image operations with explicit parameters. On images of 8 bits they compute what torchvision 0.26
// computes on PIL images (Pillow 13), to the bit unless a comment says otherwise; on float images,
// what torchvision.transforms.v2 computes on tensors (float_ops.h). Inputs are CV_8U, or CV_32F
// with values from 0 to 1, and have 1 to 64 channels (operations on colours take three, in RGB) and
// any stride. Results are new images of the same type.
#ifndef AUGMENT_OPS_H_
#define AUGMENT_OPS_H_

#include <opencv2/core/mat.hpp>
#include <vector>

namespace augment {

// crop(box), then resize to `size` by Pillow's antialiased bilinear filter: a triangle as wide as
// the scale, in fixed point of 22 bits; columns first, or rows first where the height shrinks by
// more than twice as many pixels as the width (new in Pillow 13); rounded to 8 bits between the two
// passes. `box` lies inside the image; pixels outside of it have no influence.
cv::Mat ResizedCrop(const cv::Mat& image, const cv::Rect& box, const cv::Size& size);

// The image blended with black, with its mean grey, or with its own grey version: factor 0 gives
// the other image, 1 the same, more than 1 exaggerates.
cv::Mat AdjustBrightness(const cv::Mat& image, float factor);
cv::Mat AdjustContrast(const cv::Mat& image, float factor);
cv::Mat AdjustSaturation(const cv::Mat& image, float factor);

// Turns the hue by `turn` of the whole circle, -0.5 to 0.5, in Pillow's 8-bit HSV.
cv::Mat AdjustHue(const cv::Mat& image, double turn);

// Luma (ITU-R 601) in all three channels.
cv::Mat Grayscale(const cv::Mat& image);

// Pillow's GaussianBlur: three box blurs with soft edges whose variance is radius^2 (Gwosdek et
// al., "Theoretical foundations of Gaussian convolution by extended box filtering", SSVM 2011).
cv::Mat GaussianBlur(const cv::Mat& image, float radius);

// The image mirrored left to right.
cv::Mat Flip(const cv::Mat& image);

// The image turned upside down by a mirror.
cv::Mat VerticalFlip(const cv::Mat& image);

// The image turned counterclockwise by `turns` (at least 0) quarters of a circle.
cv::Mat Rotate90(const cv::Mat& image, int turns);

// Values from `threshold` (0 to 1, of white) on become white minus the value.
cv::Mat Solarize(const cv::Mat& image, float threshold);

// Each value becomes gain * value + offset (of white), clipped to black and white; one gain and one
// offset for each channel.
cv::Mat ScaleChannels(const cv::Mat& image, const std::vector<float>& gain,
                      const std::vector<float>& offset);

// The image as float, 0 to 1.
cv::Mat ToFloat(const cv::Mat& image);

// The constants of NormalizeChannels, one of each for each channel.
struct ChannelConstants {
  std::vector<float> mean, deviation;
};

// Writes rows * cols * channels floats to `out`: ToFloat(image), and then NormalizeChannels with
// each of the constants, to the bit.
void WriteFloats(const cv::Mat& image, const std::vector<ChannelConstants>& normalizations,
                 float* out);

// Replaces each value of a float image by (value - mean) / deviation; both have one constant for
// each channel.
void NormalizeChannels(cv::Mat& image, const std::vector<float>& mean,
                       const std::vector<float>& deviation);

}  // namespace augment

#endif  // AUGMENT_OPS_H_
