// Pictures as files.
#ifndef DATA_ENCODE_H_
#define DATA_ENCODE_H_

#include <opencv2/core/mat.hpp>
#include <string>

namespace data {

// The PNG file of `image`, which DecodeImage gives back as it was: 8 bits, 1 (grey) or 3 channels
// (RGB), at least one pixel.
std::string EncodePng(const cv::Mat& image);

// The JPEG file of such an image, with half as many rows and columns of colour as of brightness;
// at most 65,500 rows and columns. quality: 1 to 100; larger files are truer.
std::string EncodeJpeg(const cv::Mat& image, int quality);

}  // namespace data

#endif  // DATA_ENCODE_H_
