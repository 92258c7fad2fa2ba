#include "tools/doctor/test_pictures.h"

#include <cstdint>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "base/rng.h"

namespace doctor {

cv::Mat TestPicture(int seed, int rows, int cols) {
  base::Rng rng(seed, base::Purpose::kTest);
  cv::Mat coarse(6, 8, CV_8UC3), image;
  for (uint8_t* p = coarse.data; p != coarse.dataend; ++p) *p = rng.UniformInt(0, 255);
  cv::resize(coarse, image, cv::Size(cols, rows), 0, 0, cv::INTER_CUBIC);
  return image;
}

}  // namespace doctor
