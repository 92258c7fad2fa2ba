// libFuzzer's entry point for the pixels of PNG files, behind the checksums that stop the fuzzer of
// all codecs: tools/fuzz.sh. What ReadPngPixels reads must be what libpng reads.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "absl/strings/string_view.h"
#include "data/codecs/png_pixels.h"
#include "data/codecs/test_png.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 4) return 0;
  constexpr int kColours[] = {0, 2, 4, 6};
  const data::TestPng png = {1 + data[0] % 20, 1 + data[1] % 40, kColours[data[2] % 4]};
  const absl::string_view rest(reinterpret_cast<const char*>(data) + 3, size - 3);
  const size_t bytes = png.RowBytes() * png.rows;
  // The rest is a zlib stream, or the filtered rows, of which what is missing is 0.
  const bool is_packed = data[2] >= 128;
  std::string filtered(rest.substr(0, bytes));
  filtered.resize(bytes);
  const std::string packed = is_packed ? std::string(rest) : data::Deflated(filtered);
  const std::string file = data::PngFile(png, packed, 1 + data[2] % 64 * 16);

  cv::Mat pixels(png.rows, png.cols, CV_8UC(png.Channels()));
  const absl::string_view chunks = absl::string_view(file).substr(file.find("IDAT") - 4);
  if (!data::ReadPngPixels(chunks, pixels)) return 0;
  const cv::Mat expected = data::ByLibpng(file);
  if (expected.empty() && is_packed) return 0;  // code tables of which zlib is stricter
  if (expected.empty() ||
      std::memcmp(pixels.data, expected.data, pixels.total() * pixels.elemSize()) != 0) {
    std::abort();
  }
  return 0;
}
