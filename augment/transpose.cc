#include "augment/transpose.h"

#if defined(__x86_64__)
#include <tmmintrin.h>
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <opencv2/core.hpp>

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

#if defined(__x86_64__)
// The first rows and columns of an image of three bytes a pixel, in blocks of 4 x 4 pixels. Reads
// and writes 16 bytes for 12, so that it leaves at least the last two rows and columns out; what it
// writes there is overwritten later. Returns how many rows and columns are done.
__attribute__((target("ssse3"))) cv::Size TransposeBlocks(const cv::Mat& image, cv::Mat& out) {
  constexpr int kStrip = 16;
  const cv::Size done(std::max(image.cols - 2, 0) / 4 * 4, std::max(image.rows - 2, 0) / 4 * 4);
  const __m128i widen = _mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1);
  const __m128i narrow = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
  for (int top = 0; top < done.height; top += kStrip) {
    const int bottom = std::min(top + kStrip, done.height);
    for (int x = 0; x < done.width; x += 4) {
      for (int y = top; y < bottom; y += 4) {
        __m128i row[4];
        for (int i = 0; i < 4; ++i) {
          const auto* from = reinterpret_cast<const __m128i*>(image.ptr(y + i) + 3 * x);
          row[i] = _mm_shuffle_epi8(_mm_loadu_si128(from), widen);
        }
        const __m128i a = _mm_unpacklo_epi32(row[0], row[1]),
                      b = _mm_unpackhi_epi32(row[0], row[1]);
        const __m128i c = _mm_unpacklo_epi32(row[2], row[3]),
                      d = _mm_unpackhi_epi32(row[2], row[3]);
        const __m128i column[4] = {_mm_unpacklo_epi64(a, c), _mm_unpackhi_epi64(a, c),
                                   _mm_unpacklo_epi64(b, d), _mm_unpackhi_epi64(b, d)};
        for (int i = 0; i < 4; ++i) {
          auto* to = reinterpret_cast<__m128i*>(out.ptr(x + i) + 3 * y);
          _mm_storeu_si128(to, _mm_shuffle_epi8(column[i], narrow));
        }
      }
    }
  }
  return done;
}

// The pixels of a row of three bytes a pixel from right to left, five at a time. Writes 16 bytes
// for 15, the first of which is overwritten later, so that it leaves at least the last pixel out.
// Returns how many pixels are done.
__attribute__((target("ssse3"))) int MirrorBlocks(const uint8_t* from, int pixels, uint8_t* to) {
  const __m128i reverse = _mm_setr_epi8(-1, 12, 13, 14, 9, 10, 11, 6, 7, 8, 3, 4, 5, 0, 1, 2);
  int done = 0;
  for (; done + 6 <= pixels; done += 5) {
    const __m128i five = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 3 * done));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 3 * (pixels - done) - 16),
                     _mm_shuffle_epi8(five, reverse));
  }
  return done;
}

void TransposeRgb(const cv::Mat& image, cv::Mat& out) {
  cv::Size done;
  if (__builtin_cpu_supports("ssse3")) done = TransposeBlocks(image, out);
  cv::Mat below = out.colRange(done.height, out.cols).rowRange(0, done.width);
  cv::Mat right = out.rowRange(done.width, out.rows);
  if (done.width > 0) {
    Transpose<3>(image.rowRange(done.height, image.rows).colRange(0, done.width), 3, below);
  }
  Transpose<3>(image.colRange(done.width, image.cols), 3, right);
}
void MirrorRgb(const uint8_t* from, int pixels, uint8_t* to) {
  int x = __builtin_cpu_supports("ssse3") ? MirrorBlocks(from, pixels, to) : 0;
  for (; x < pixels; ++x) std::memcpy(to + 3 * (pixels - 1 - x), from + 3 * x, 3);
}
#else
void TransposeRgb(const cv::Mat& image, cv::Mat& out) { Transpose<3>(image, 3, out); }
void MirrorRgb(const uint8_t* from, int pixels, uint8_t* to) {
  for (int x = 0; x < pixels; ++x) std::memcpy(to + 3 * (pixels - 1 - x), from + 3 * x, 3);
}
#endif

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
      TransposeRgb(image, out);
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

cv::Mat Mirrored(const cv::Mat& image) {
  cv::Mat out(image.rows, image.cols, image.type());
  if (image.elemSize() == 3) {
    for (int y = 0; y < image.rows; ++y) MirrorRgb(image.ptr(y), image.cols, out.ptr(y));
  } else {
    cv::flip(image, out, /*flipCode=*/1);
  }
  return out;
}

}  // namespace augment
