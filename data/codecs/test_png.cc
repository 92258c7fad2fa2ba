#include "data/codecs/test_png.h"

#include <png.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"

namespace data {
namespace {

std::string BigEndian(uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

const Bytef* Bytes(absl::string_view text) { return reinterpret_cast<const Bytef*>(text.data()); }

}  // namespace

std::string PngChunk(absl::string_view type, absl::string_view contents) {
  const std::string body = absl::StrCat(type, contents);
  return absl::StrCat(BigEndian(contents.size()), body,
                      BigEndian(crc32(0, Bytes(body), body.size())));
}

std::string Deflated(absl::string_view bytes) {
  uLongf size = compressBound(bytes.size());
  std::string packed(size, '\0');
  compress(reinterpret_cast<Bytef*>(packed.data()), &size, Bytes(bytes), bytes.size());
  packed.resize(size);
  return packed;
}

std::string PngFile(const TestPng& png, absl::string_view packed, size_t part) {
  std::string header = absl::StrCat(BigEndian(png.cols), BigEndian(png.rows));
  for (const int byte : {8, png.colour, 0, 0, 0}) header += static_cast<char>(byte);
  std::string file = absl::StrCat("\x89PNG\r\n\x1A\n", PngChunk("IHDR", header));
  if (png.colour == 3) {
    std::string palette;
    for (int i = 0; i < 3 * 200; ++i) palette += static_cast<char>(i * 37 + 11);
    file += PngChunk("PLTE", palette);
  }
  do {
    file += PngChunk("IDAT", packed.substr(0, part));
    packed.remove_prefix(std::min(part, packed.size()));
  } while (!packed.empty());
  return file + PngChunk("IEND", "");
}

cv::Mat ByLibpng(absl::string_view file) {
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_memory(&image, file.data(), file.size()) == 0) return {};
  image.format &= ~PNG_FORMAT_FLAG_COLORMAP;
  cv::Mat pixels(static_cast<int>(image.height), static_cast<int>(image.width),
                 CV_8UC(static_cast<int>(PNG_IMAGE_SAMPLE_CHANNELS(image.format))));
  if (png_image_finish_read(&image, nullptr, pixels.data, 0, nullptr) == 0) return {};
  return pixels;
}

}  // namespace data
