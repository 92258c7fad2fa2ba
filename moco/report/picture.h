// Pictures inside pages.
#ifndef MOCO_REPORT_PICTURE_H_
#define MOCO_REPORT_PICTURE_H_

#include <opencv2/core/mat.hpp>
#include <string>

namespace report {

// An <img> that opens when it is clicked (page/page.js), with `title` under the pointer. image:
// 8-bit RGB; longer sides than `side` are shrunk to it. PNG for small pictures, whose pixels JPEG
// would blur, otherwise JPEG.
std::string Picture(const cv::Mat& image, const std::string& title, int side = 224);

}  // namespace report

#endif  // MOCO_REPORT_PICTURE_H_
