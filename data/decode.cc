#include "data/decode.h"

#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <opencv2/core.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/for_each_cpu.h"
#include "data/codec.h"
#include "data/orientation.h"

namespace data {
namespace {

constexpr int64_t kMega = 1'000'000;
constexpr int kMaxColourChannels = 4;  // RGB and alpha

// Values of a pixel type: what is opaque, and the luma.
template <class T>
struct Values {
  static constexpr T kOpaque = std::numeric_limits<T>::max();
  static T Luma(const T* p) {
    return static_cast<T>((p[0] * 19595u + p[1] * 38470u + p[2] * 7471u + 0x8000u) >> 16);
  }
};
template <>
struct Values<float> {
  static constexpr float kOpaque = 1;
  static float Luma(const float* p) { return (p[0] * 19595 + p[1] * 38470 + p[2] * 7471) / 65536; }
};

template <class T>
void ConvertRow(const T* in, int cols, int from, int to, T* out) {
  const bool colour = from > 2;
  for (int x = 0; x < cols; ++x, in += from, out += to) {
    if (to > 2) {
      for (int c = 0; c < 3; ++c) out[c] = colour ? in[c] : in[0];
    } else {
      out[0] = colour ? Values<T>::Luma(in) : in[0];
    }
    if (to % 2 == 0) out[to - 1] = from % 2 == 0 ? in[from - 1] : Values<T>::kOpaque;
  }
}

FOR_EACH_CPU void FullScaleRow(const uint16_t* from, int n, float* __restrict to) {
  for (int i = 0; i < n; ++i) to[i] = static_cast<float>(from[i]) / 65535.0f;
}

template <class T>
INLINED void MapValues(const T* from, int n, const float* __restrict low,
                       const float* __restrict width, float* __restrict to) {
  for (int i = 0; i < n; ++i) {
    const float value = (static_cast<float>(from[i]) - low[i]) / width[i];
    to[i] = value > 0 ? std::min(value, 1.0f) : 0;  // written so that NaN becomes 0
  }
}

FOR_EACH_CPU void MapRow(const uint16_t* from, int n, const float* low, const float* width,
                         float* to) {
  MapValues(from, n, low, width, to);
}
FOR_EACH_CPU void MapRow(const float* from, int n, const float* low, const float* width,
                         float* to) {
  MapValues(from, n, low, width, to);
}

// Maps the values of CV_16U or CV_32F to CV_32F from 0 to 1.
cv::Mat ToUnit(const cv::Mat& image, const std::vector<ValueRange>& range) {
  cv::Mat result(image.rows, image.cols, CV_32FC(image.channels()));
  const int n = image.cols * image.channels();
  // Constants for a whole row, so that the loop does not depend on the number of channels.
  std::vector<float> low, width;
  for (int i = 0; i < n && !range.empty(); ++i) {
    const ValueRange& r = range[range.size() == 1 ? 0 : i % image.channels()];
    low.push_back(static_cast<float>(r.low));
    width.push_back(static_cast<float>(r.high - r.low));
  }
  for (int y = 0; y < image.rows; ++y) {
    if (image.depth() == CV_32F) {
      MapRow(image.ptr<float>(y), n, low.data(), width.data(), result.ptr<float>(y));
    } else if (range.empty()) {
      FullScaleRow(image.ptr<uint16_t>(y), n, result.ptr<float>(y));
    } else {
      MapRow(image.ptr<uint16_t>(y), n, low.data(), width.data(), result.ptr<float>(y));
    }
  }
  return result;
}

// What it means that a library could not allocate memory: the status itself if memory is short, and
// Damaged if the file asks for more than an image of `bytes` needs. No memory suffices for the
// sizes in some damaged files.
absl::Status ShortageOrDamage(const absl::Status& status, int64_t bytes) {
  constexpr int64_t kLeast = int64_t{1} << 30;
  if (!absl::IsResourceExhausted(status)) return status;
  const size_t size = std::max(bytes, kLeast);  // pages that nobody uses
  void* const memory =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return status;
  munmap(memory, size);
  return Damaged("it asks for more memory than an image needs");
}

absl::StatusOr<std::unique_ptr<EncodedImage>> Open(const Codec& codec, absl::string_view bytes) {
  auto encoded = codec.Open(bytes);
  if (!encoded.ok()) return ShortageOrDamage(encoded.status(), 0);
  return encoded;
}

// The stored values of a page of an image that was just opened.
absl::StatusOr<cv::Mat> DecodePage(EncodedImage& encoded, int64_t page, int channels,
                                   const DecodeOptions& options) {
  if (page > 0) {
    if (absl::Status s = encoded.SelectPage(page); !s.ok()) return s;
  }
  absl::Status size = CheckPixels(encoded.rows(), encoded.cols(), options);
  if (!size.ok()) return size;
  auto image = encoded.Decode(channels);
  // The values as stored, and as the library has them while it decodes.
  const int64_t values = encoded.rows() * encoded.cols() * std::max(channels, kMaxColourChannels);
  if (!image.ok()) return ShortageOrDamage(image.status(), 2 * sizeof(float) * values);
  return image;
}

// The stored values of all pages, each of which is a channel.
absl::StatusOr<cv::Mat> DecodePages(const Codec& codec, absl::string_view bytes, int64_t pages,
                                    const DecodeOptions& options) {
  if (pages > kMaxChannels) {
    return absl::DataLossError(absl::StrCat("has ", pages, " pages, more than the ", kMaxChannels,
                                            " channels of an image; give --pages=images"));
  }
  cv::Mat image;
  for (int64_t page = 0; page < pages; ++page) {
    const auto encoded = Open(codec, bytes);
    if (!encoded.ok()) return encoded.status();
    const auto channel = DecodePage(**encoded, page, /*channels=*/1, options);
    if (!channel.ok()) return channel;
    if (page == 0) {
      image.create(channel->rows, channel->cols,
                   CV_MAKETYPE(channel->depth(), static_cast<int>(pages)));
    }
    if (channel->channels() != 1 || channel->size() != image.size() ||
        channel->depth() != image.depth()) {
      return absl::DataLossError(
          absl::StrCat("has a page ", page + 1,
                       " that is not grey, or differs from the first in size or type; "
                       "give --pages=first or --pages=images"));
    }
    const int from_to[] = {0, static_cast<int>(page)};
    cv::mixChannels(&*channel, 1, &image, 1, from_to, 1);
  }
  return image;
}

}  // namespace

absl::Status CheckPixels(int64_t rows, int64_t cols, const DecodeOptions& options) {
  if (rows <= 0 || cols <= 0) return Damaged("it has no pixels");
  if (cols <= options.max_pixels / rows) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("is ", cols, " x ", rows, " pixels, more than ", options.max_pixels / kMega,
                   " million; raise --max-megapixels, or make the image smaller"));
}

cv::Mat ToChannels(const cv::Mat& image, int channels) {
  const int from = image.channels();
  if (from == channels) return image;
  cv::Mat result(image.rows, image.cols, CV_MAKETYPE(image.depth(), channels));
  for (int y = 0; y < image.rows; ++y) {
    switch (image.depth()) {
      case CV_8U:
        ConvertRow(image.ptr(y), image.cols, from, channels, result.ptr(y));
        break;
      case CV_16U:
        ConvertRow(image.ptr<uint16_t>(y), image.cols, from, channels, result.ptr<uint16_t>(y));
        break;
      default:
        ConvertRow(image.ptr<float>(y), image.cols, from, channels, result.ptr<float>(y));
    }
  }
  return result;
}

absl::StatusOr<cv::Mat> FinishImage(const cv::Mat& stored, const DecodeOptions& options) {
  const int from = stored.channels(), to = options.channels;
  if (from != to && std::max(from, to) > kMaxColourChannels) {
    return absl::DataLossError(
        absl::StrCat("has ", from, " channels, not ", to, "; give channels=", from,
                     " in --arch (a tool: --channels=", from, "), or other images"));
  }
  cv::Mat image = ToChannels(stored, to);
  if (image.depth() == CV_8U || options.raw) return image;
  if (image.depth() == CV_32F && options.range.empty()) {
    return absl::DataLossError(
        "has values that are not unsigned integers of 8 or 16 bits; say which of them are black "
        "and white: --range=LOW:HIGH, or --range=auto");
  }
  return ToUnit(image, options.range);
}

absl::StatusOr<cv::Mat> DecodeImage(absl::string_view bytes, const DecodeOptions& options) {
  if (bytes.empty()) return absl::DataLossError("is empty");
  const Codec* codec = FindCodec(bytes);
  if (codec == nullptr) return NotRecognised(bytes);
  const auto encoded = Open(*codec, bytes);
  if (!encoded.ok()) return encoded.status();
  absl::StatusOr<cv::Mat> stored;
  if (options.pages_as_channels && (*encoded)->pages() > 1) {
    stored = DecodePages(*codec, bytes, (*encoded)->pages(), options);
  } else {
    stored = DecodePage(**encoded, options.page, options.channels, options);
  }
  if (!stored.ok()) return stored.status();
  if (stored->channels() == 1 && options.channels > kMaxColourChannels &&
      (*encoded)->pages() == options.channels) {
    return absl::DataLossError(absl::StrCat("has 1 channel in each of its ", options.channels,
                                            " pages; --pages=channels makes them the channels"));
  }
  auto image = FinishImage(*stored, options);
  if (!image.ok() || !options.apply_exif) return image;
  return Turned(*image, (*encoded)->orientation());
}

cv::Mat ToRgb8(const cv::Mat& image) {
  const int channels = image.channels();
  cv::Mat bytes = image;
  if (image.depth() != CV_8U) image.convertTo(bytes, CV_8U, 255);
  if (channels <= kMaxColourChannels) return ToChannels(bytes, 3);
  cv::Mat rgb(image.rows, image.cols, CV_8UC3);
  for (int y = 0; y < image.rows; ++y) {
    for (int x = 0; x < image.cols; ++x) {
      std::copy_n(bytes.ptr(y) + x * channels, 3, rgb.ptr(y) + x * 3);
    }
  }
  return rgb;
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
