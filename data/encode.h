// From pixels to the bytes of image files.
#ifndef DATA_ENCODE_H_
#define DATA_ENCODE_H_

#include <opencv2/core/mat.hpp>
#include <string>

namespace data {

// The PNG file of `image`: 8 bits, 1 (grey) or 3 channels (RGB), at least one pixel. DecodeImage
// gives back the same pixels.
std::string EncodePng(const cv::Mat& image);

// The JPEG file of such an image, of at most 65,500 rows and columns, with the colours at half the
// resolution (4:2:0). quality: 1 to 100; more is larger and closer to the image.
std::string EncodeJpeg(const cv::Mat& image, int quality);

}  // namespace data

#endif  // DATA_ENCODE_H_
