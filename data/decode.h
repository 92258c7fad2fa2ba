// From the bytes of a JPEG or PNG file to pixels, as Pillow's convert("RGB") gives them.
#ifndef DATA_DECODE_H_
#define DATA_DECODE_H_

#include <cstdint>
#include <opencv2/core/mat.hpp>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace data {

// Larger images are refused before anything is allocated: a PNG of one megabyte can ask for a
// gigabyte.
constexpr int64_t kMaxPixels = 100'000'000;

// No image of so many pixels needs more bytes; what has more is not read.
constexpr int64_t kMaxImageBytes = int64_t{1} << 30;

// Decodes by content, whatever the file is called. Grey becomes three equal channels, palettes
// their colours, CMYK Pillow's RGB; alpha is dropped; orientation tags are not applied (what the
// reference sees); of 16 bits the upper 8 stay, except that 16-bit grey is scaled to 8 bits, where
// Pillow clips.
//
// Returns CV_8UC3 in RGB. DataLoss says what is wrong ("is empty", "is cut or damaged: ..."), to be
// put behind the image's name. Thread-safe.
absl::StatusOr<cv::Mat> DecodeImage(absl::string_view bytes);

}  // namespace data

#endif  // DATA_DECODE_H_
