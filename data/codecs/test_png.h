// PNG files that tests and fuzzers put together, and what libpng itself reads from them.
#ifndef DATA_CODECS_TEST_PNG_H_
#define DATA_CODECS_TEST_PNG_H_

#include <cstddef>
#include <opencv2/core/mat.hpp>
#include <string>

#include "absl/strings/string_view.h"

namespace data {

struct TestPng {
  int rows = 1, cols = 1;
  int colour =
      2;  // type of PNG: 0 grey, 2 RGB, 3 palette (of 200 colours), 4 grey and alpha, 6 RGBA

  // Bytes of a pixel; of a row with its filter.
  int Channels() const { return colour == 2 ? 3 : colour == 4 ? 2 : colour == 6 ? 4 : 1; }
  size_t RowBytes() const { return size_t{1} * cols * Channels() + 1; }
};

// Length, type, contents and checksum.
std::string PngChunk(absl::string_view type, absl::string_view contents);

// `bytes` as a zlib stream.
std::string Deflated(absl::string_view bytes);

// A file of 8 bits whose IDAT chunks hold `packed`, in parts of `part` bytes.
std::string PngFile(const TestPng& png, absl::string_view packed, size_t part = 8192);

// The image by libpng's simplified interface, with the file's channels (three of a palette); empty
// if libpng refuses the file.
cv::Mat ByLibpng(absl::string_view file);

}  // namespace data

#endif  // DATA_CODECS_TEST_PNG_H_
