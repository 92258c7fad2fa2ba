#include "data/orientation.h"

#include <cstdint>
#include <cstring>
#include <opencv2/core.hpp>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace data {
namespace {

constexpr uint32_t kOrientationTag = 0x0112;

// Numbers of a TIFF structure.
class Tiff {
 public:
  explicit Tiff(absl::string_view bytes)
      : bytes_(bytes), little_endian_(absl::StartsWith(bytes, "II")) {}

  bool IsOne() const { return little_endian_ || absl::StartsWith(bytes_, "MM"); }

  // The number of `size` bytes at `offset`; nullopt behind the end.
  std::optional<uint32_t> At(uint64_t offset, int size) const {
    if (offset > bytes_.size() || bytes_.size() - offset < static_cast<uint64_t>(size)) {
      return std::nullopt;
    }
    uint32_t value = 0;
    for (int i = 0; i < size; ++i) {
      const uint8_t byte = bytes_[offset + (little_endian_ ? size - 1 - i : i)];
      value = value << 8 | byte;
    }
    return value;
  }

 private:
  const absl::string_view bytes_;
  const bool little_endian_;
};

// Bytes of one value; 0 for types in which Pillow does not find an orientation.
int SizeOfType(uint32_t type) {
  switch (type) {
    case 6:  // SBYTE
      return 1;
    case 3:  // SHORT
    case 8:  // SSHORT
      return 2;
    case 4:  // LONG
    case 9:  // SLONG
      return 4;
    default:
      return 0;
  }
}

}  // namespace

std::optional<int> OrientationOfExif(absl::string_view exif) {
  constexpr absl::string_view kPrefix("Exif\0\0", 6);
  if (absl::ConsumePrefix(&exif, kPrefix)) absl::ConsumePrefix(&exif, kPrefix);
  const Tiff tiff(exif);
  const auto directory = tiff.At(4, 4);
  if (!tiff.IsOne() || !directory) return std::nullopt;
  const auto entries = tiff.At(*directory, 2);
  if (!entries) return std::nullopt;
  std::optional<int> orientation;
  for (uint32_t i = 0; i < *entries; ++i) {
    // An entry: tag (2 bytes), type (2), count (4), and the values, or where they are (4).
    const uint64_t entry = uint64_t{*directory} + 2 + 12 * uint64_t{i};
    const auto tag = tiff.At(entry, 2), type = tiff.At(entry + 2, 2), count = tiff.At(entry + 4, 4);
    const auto place = tiff.At(entry + 8, 4);
    if (!place) break;
    const int size = SizeOfType(*type);
    if (*tag != kOrientationTag || size == 0 || *count == 0) continue;
    const bool inside = uint64_t{*count} * size <= 4;
    const auto value = tiff.At(inside ? entry + 8 : *place, size);
    if (value && *value <= 8) orientation = static_cast<int>(*value);
  }
  return orientation;
}

std::optional<int> OrientationOfXmp(absl::string_view xmp) {
  constexpr absl::string_view kName = "tiff:Orientation";
  for (size_t at = xmp.find(kName); at != xmp.npos; at = xmp.find(kName, at + 1)) {
    absl::string_view value = xmp.substr(at + kName.size());
    if (!absl::ConsumePrefix(&value, "=\"") && !absl::ConsumePrefix(&value, ">")) continue;
    if (!value.empty() && value[0] >= '0' && value[0] <= '9') return value[0] - '0';
  }
  return std::nullopt;
}

namespace {

// cv::transpose takes pixels of some sizes only.
cv::Mat Transposed(const cv::Mat& image) {
  cv::Mat result(image.cols, image.rows, image.type());
  const size_t pixel = image.elemSize();
  for (int y = 0; y < result.rows; ++y) {
    for (int x = 0; x < result.cols; ++x) std::memcpy(result.ptr(y, x), image.ptr(x, y), pixel);
  }
  return result;
}

enum Axis { kUpsideDown = 0, kLeftToRight = 1, kBoth = -1 };  // of cv::flip

cv::Mat Flipped(const cv::Mat& image, Axis axis) {
  cv::Mat result;
  cv::flip(image, result, axis);
  return result;
}

}  // namespace

cv::Mat Turned(const cv::Mat& image, int orientation) {
  switch (orientation) {
    case 2:
      return Flipped(image, kLeftToRight);
    case 3:
      return Flipped(image, kBoth);
    case 4:
      return Flipped(image, kUpsideDown);
    case 5:
      return Transposed(image);
    case 6:
      return Flipped(Transposed(image), kLeftToRight);
    case 7:
      return Flipped(Transposed(image), kBoth);
    case 8:
      return Flipped(Transposed(image), kUpsideDown);
    default:
      return image;
  }
}

}  // namespace data
