// Noise as images, for tests.
#ifndef AUGMENT_NOISE_H_
#define AUGMENT_NOISE_H_

#include <cstdint>
#include <opencv2/core.hpp>

#include "base/rng.h"

namespace augment {

// Returns an image of three channels of 8 bits, another for each seed.
inline cv::Mat Noise(int rows, int cols, uint64_t seed = 1) {
  cv::Mat image(rows, cols, CV_8UC3);
  base::Rng rng(seed, base::Purpose::kTest);
  for (int y = 0; y < rows; ++y) {
    for (int x = 0; x < 3 * cols; ++x) image.ptr(y)[x] = rng.UniformInt(0, 255);
  }
  return image;
}

inline base::Rng Stream(uint64_t sample) { return base::Rng(7, base::Purpose::kTest, 0, sample); }

inline bool Same(const cv::Mat& a, const cv::Mat& b) {
  return a.size() == b.size() && a.type() == b.type() && cv::norm(a, b, cv::NORM_INF) == 0;
}

}  // namespace augment

#endif  // AUGMENT_NOISE_H_
