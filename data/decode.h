// From the bytes of an image file to pixels, as Pillow's convert() gives them. The file formats are
// plugins (data/codec.h).
#ifndef DATA_DECODE_H_
#define DATA_DECODE_H_

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/decode_options.h"

namespace data {

// No image of so many pixels needs more bytes; larger files are not read.
constexpr int64_t kMaxImageBytes = int64_t{1} << 30;

// Decodes by content, whatever the file is called. Palettes become their colours, CMYK Pillow's
// RGB. Of 16 bits the upper 8 are kept, except that 16-bit grey is scaled to 8 bits, where Pillow
// clips.
//
// Returns 8 bits a channel. DataLoss says what is wrong ("is empty", "is cut or damaged: ..."), to
// be put behind the image's name; ResourceExhausted if memory is short. Thread-safe.
absl::StatusOr<cv::Mat> DecodeImage(absl::string_view bytes, const DecodeOptions& options = {});

// DataLoss, naming --max-megapixels, if an image of `rows` x `cols` is larger than the options
// allow.
absl::Status CheckPixels(int64_t rows, int64_t cols, const DecodeOptions& options);

// Converts an 8-bit image of 1 to 4 channels to another number of them: grey becomes three equal
// channels, colour its luma (ITU-R 601, in Pillow's integers); alpha is dropped, or is 255 where
// the image had none.
cv::Mat ToChannels(const cv::Mat& image, int channels);

// DecodeImage with the image's name in its errors.
absl::StatusOr<cv::Mat> DecodeNamed(const std::string& name, absl::string_view bytes,
                                    const DecodeOptions& options);

// The bytes of a file that may hold an image. DataLoss if it cannot be read.
absl::StatusOr<std::string> ReadImageFile(const std::string& path);

// The image in a file; the errors of ReadImageFile and DecodeNamed.
absl::StatusOr<cv::Mat> ReadImage(const std::string& path, const DecodeOptions& options);

}  // namespace data

#endif  // DATA_DECODE_H_
