#include "data/decode.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "data/codec.h"
#include "data/orientation.h"

namespace data {
namespace {

constexpr int64_t kMega = 1'000'000;

}  // namespace

absl::Status CheckPixels(int64_t rows, int64_t cols, const DecodeOptions& options) {
  if (rows <= 0 || cols <= 0) return Damaged("it has no pixels");
  if (cols <= options.max_pixels / rows) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("is ", cols, " x ", rows, " pixels, more than ", options.max_pixels / kMega,
                   " million; raise --max-megapixels, or make the image smaller"));
}

absl::StatusOr<cv::Mat> DecodeImage(absl::string_view bytes, const DecodeOptions& options) {
  if (bytes.empty()) return absl::DataLossError("is empty");
  const Codec* codec = FindCodec(bytes);
  if (codec == nullptr) return NotRecognised(bytes);
  const auto encoded = codec->Open(bytes);
  if (!encoded.ok()) return encoded.status();
  absl::Status size = CheckPixels((*encoded)->rows(), (*encoded)->cols(), options);
  if (!size.ok()) return size;
  const auto image = (*encoded)->Decode(options.channels);
  if (!image.ok()) return image.status();
  cv::Mat converted = ToChannels(*image, options.channels);
  return options.apply_exif ? Turned(converted, (*encoded)->orientation()) : converted;
}

cv::Mat ToChannels(const cv::Mat& image, int channels) {
  const int from = image.channels();
  if (from == channels) return image;
  cv::Mat result(image.rows, image.cols, CV_8UC(channels));
  for (int y = 0; y < image.rows; ++y) {
    const uint8_t* in = image.ptr(y);
    uint8_t* out = result.ptr(y);
    for (int x = 0; x < image.cols; ++x, in += from, out += channels) {
      const bool colour = from > 2;
      if (channels > 2) {
        for (int c = 0; c < 3; ++c) out[c] = colour ? in[c] : in[0];
      } else {
        out[0] = colour ? (in[0] * 19595 + in[1] * 38470 + in[2] * 7471 + 0x8000) >> 16 : in[0];
      }
      if (channels % 2 == 0) out[channels - 1] = from % 2 == 0 ? in[from - 1] : 255;
    }
  }
  return result;
}

absl::StatusOr<cv::Mat> DecodeNamed(const std::string& name, absl::string_view bytes,
                                    const DecodeOptions& options) {
  auto image = DecodeImage(bytes, options);
  if (image.ok()) return image;
  return absl::Status(image.status().code(),
                      absl::StrCat("'", name, "' ", image.status().message()));
}

absl::StatusOr<std::string> ReadImageFile(const std::string& path) {
  auto bytes = base::ReadFile(path, kMaxImageBytes);
  if (!bytes.ok()) return absl::DataLossError(bytes.status().message());
  return bytes;
}

absl::StatusOr<cv::Mat> ReadImage(const std::string& path, const DecodeOptions& options) {
  const auto bytes = ReadImageFile(path);
  if (!bytes.ok()) return bytes.status();
  return DecodeNamed(path, *bytes, options);
}

}  // namespace data
