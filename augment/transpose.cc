#include "augment/transpose.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace augment {
namespace {

// A few rows at a time, so that source and destination stay in the cache. `kSize` is the size of a
// pixel in bytes, 0 if only `size` says it: copies of a known size are several times faster.
template <int kSize>
void Transpose(const cv::Mat& image, size_t size, cv::Mat& out) {
  constexpr int kStrip = 16;
  const size_t pixel = kSize > 0 ? kSize : size;
  // Copying four bytes is faster than three; the next pixel overwrites the fourth byte. In the last
  // row there is no next pixel.
  const size_t copied = kSize == 3 ? 4 : pixel;
  const int last = image.rows - 1;
  for (int top = 0; top < last; top += kStrip) {
    const int bottom = std::min(top + kStrip, last);
    for (int x = 0; x < image.cols; ++x) {
      const uint8_t* from = image.ptr(top) + pixel * x;
      uint8_t* to = out.ptr(x) + pixel * top;
      for (int y = top; y < bottom; ++y, from += image.step[0], to += pixel) {
        std::memcpy(to, from, copied);
      }
    }
  }
  for (int x = 0; x < image.cols; ++x) {
    std::memcpy(out.ptr(x) + pixel * last, image.ptr(last) + pixel * x, pixel);
  }
}

}  // namespace

cv::Mat Transposed(const cv::Mat& image) {
  cv::Mat out(image.cols, image.rows, image.type());
  const size_t size = image.elemSize();
  switch (size) {
    case 1:
      Transpose<1>(image, size, out);
      break;
    case 2:
      Transpose<2>(image, size, out);
      break;
    case 3:
      Transpose<3>(image, size, out);
      break;
    case 4:
      Transpose<4>(image, size, out);
      break;
    case 12:
      Transpose<12>(image, size, out);
      break;
    case 16:
      Transpose<16>(image, size, out);
      break;
    case 20:
      Transpose<20>(image, size, out);
      break;
    default:
      Transpose<0>(image, size, out);
  }
  return out;
}

}  // namespace augment
