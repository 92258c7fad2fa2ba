// Pictures as files.
#ifndef DATA_ENCODE_H_
#define DATA_ENCODE_H_

#include <opencv2/core/mat.hpp>
#include <string>

namespace data {

// image: 8 bits, 1 or 3 channels (RGB).
std::string EncodePng(const cv::Mat& image);
std::string EncodeJpeg(const cv::Mat& image, int quality);

}  // namespace data

#endif  // DATA_ENCODE_H_
