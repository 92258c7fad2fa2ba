// From the bytes of an image file to pixels, as Pillow's convert() gives them where it knows the
// kind of image. The file formats are plugins (data/codec.h).
//
// Decoded images are CV_8U if the file has up to 8 bits a channel, otherwise CV_32F with values
// from 0 to 1.
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
// RGB. (Of 16 bits Pillow keeps the upper 8 of colours, and clips grey at 255.)
//
// DataLoss says what is wrong ("is empty", "is cut or damaged: ...", or an error of FinishImage),
// to be put behind the image's name; ResourceExhausted if memory is short. Thread-safe.
absl::StatusOr<cv::Mat> DecodeImage(absl::string_view bytes, const DecodeOptions& options = {});

// DataLoss, naming --max-megapixels, if an image of `rows` x `cols` is larger than the options
// allow.
absl::Status CheckPixels(int64_t rows, int64_t cols, const DecodeOptions& options);

// What comes after a codec: from stored values (see EncodedImage::Decode) to what DecodeImage
// returns, in options.channels channels. Grey becomes three equal channels, colour its luma (ITU-R
// 601, in Pillow's integers); alpha is dropped, or is opaque where the image had none. May share
// the pixels of `stored`. DataLoss, naming the flag that helps, if the numbers of channels do not
// fit, or if values of 32 bits have no range.
absl::StatusOr<cv::Mat> FinishImage(const cv::Mat& stored, const DecodeOptions& options);

// `image`, of any type of values, in `channels` as FinishImage converts them. Both have 1 to 4
// channels, or the same number.
cv::Mat ToChannels(const cv::Mat& image, int channels);

// A decoded image for people's eyes: 8-bit RGB. Values from 0 to 1 become 0 to 255. Two channels
// are grey and alpha; of more than three, the first three are shown as red, green and blue.
cv::Mat ToRgb8(const cv::Mat& image);

// DecodeImage with the image's name in its errors.
absl::StatusOr<cv::Mat> DecodeNamed(const std::string& name, absl::string_view bytes,
                                    const DecodeOptions& options);

// The bytes of a file that may hold an image. DataLoss if it cannot be read.
absl::StatusOr<std::string> ReadImageFile(const std::string& path);

// The image in a file; the errors of ReadImageFile and DecodeNamed.
absl::StatusOr<cv::Mat> ReadImage(const std::string& path, const DecodeOptions& options);

}  // namespace data

#endif  // DATA_DECODE_H_
