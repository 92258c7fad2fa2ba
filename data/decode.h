// From the bytes of a JPEG or PNG file to pixels, as Pillow's convert() gives them.
#ifndef DATA_DECODE_H_
#define DATA_DECODE_H_

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace data {

// Larger images are refused before anything is allocated: a PNG of one megabyte can ask for a
// gigabyte.
constexpr int64_t kMaxPixels = 100'000'000;

// No image of so many pixels needs more bytes; what has more is not read.
constexpr int64_t kMaxImageBytes = int64_t{1} << 30;

// Decodes by content, whatever the file is called, to 1 (grey), 2 (grey and alpha), 3 (RGB) or 4
// (RGB and alpha) channels. Palettes become their colours, CMYK Pillow's RGB; orientation tags are
// not applied (what the reference sees); of 16 bits the upper 8 stay, except that 16-bit grey is
// scaled to 8 bits, where Pillow clips.
//
// Returns 8 bits a channel. DataLoss says what is wrong ("is empty", "is cut or damaged: ..."), to
// be put behind the image's name. Thread-safe.
absl::StatusOr<cv::Mat> DecodeImage(absl::string_view bytes, int channels = 3);

// An 8-bit image of 1 to 4 channels with another number of them: grey becomes three equal channels,
// colour its luma (ITU-R 601, in Pillow's integers); alpha is dropped, or 255 where there was none.
cv::Mat ToChannels(const cv::Mat& image, int channels);

// DecodeImage with the image's name in its errors.
absl::StatusOr<cv::Mat> DecodeNamed(const std::string& name, absl::string_view bytes, int channels);

// The bytes of a file that may hold an image. DataLoss when it cannot be read.
absl::StatusOr<std::string> ReadImageFile(const std::string& path);

// The image in a file.
absl::StatusOr<cv::Mat> ReadImage(const std::string& path, int channels);

}  // namespace data

#endif  // DATA_DECODE_H_
