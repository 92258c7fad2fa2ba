// NumPy's .npy files of one image each, H x W or H x W x C. (Files of many images are data sets:
// data/formats/arrays.cc.)
#include "tensors/npy.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <opencv2/core.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "data/codec.h"
#include "data/decode_options.h"

namespace data {
namespace {

using tensors::NpyArray;

constexpr int64_t kMaxColours = 4;  // channels that an image of colours has

bool IsRead(const NpyArray& array) {
  const int64_t width = array.width;
  if (array.kind == 'f') return width == 2 || width == 4 || width == 8;
  return (array.kind == 'u' || array.kind == 'i') &&
         (width == 1 || width == 2 || width == 4 || width == 8);
}

absl::Status Refused(const NpyArray& array, absl::string_view why) {
  return absl::DataLossError(absl::StrCat("is an array, ", array.Text(), why));
}

absl::Status SeemsToBePlanes(const NpyArray& array) {
  return Refused(array,
                 ", which seems to be C x H x W, as PyTorch has it; an image is H x W or "
                 "H x W x C: save x.transpose(1, 2, 0)");
}

// DataLoss, with what to do, unless the array is one image.
absl::Status CheckImage(const NpyArray& array) {
  const std::vector<int64_t>& shape = array.shape;
  if (array.kind == 'O') {
    return Refused(array, " (a pickle, which is never run); save an array of numbers");
  }
  if (array.kind == 'b') return Refused(array, " of true and false; save x.astype('uint8') * 255");
  if (!IsRead(array)) {
    return Refused(array,
                   "; an image has integers or floats of up to 64 bits: save "
                   "x.astype('float32')");
  }
  if (shape.size() == 4 && shape[0] == 1) {
    return Refused(array, "; an image is H x W or H x W x C: save x[0]");
  }
  if (shape.size() == 4) {
    return Refused(array, ": many images, which are a data set; give the file itself as data");
  }
  if (shape.size() != 2 && shape.size() != 3) {
    return Refused(array, "; an image is H x W or H x W x C");
  }
  if (shape.size() == 2) return absl::OkStatus();
  // Hardly any image has so few rows, or so many channels.
  const bool few_rows = shape[0] <= kMaxColours && shape[2] > kMaxColours;
  if (few_rows || (shape[0] <= kMaxChannels && shape[2] > kMaxChannels)) {
    return SeemsToBePlanes(array);
  }
  if (shape[2] < 1 || shape[2] > kMaxChannels) {
    return Refused(array, absl::StrCat(": an image has 1 to ", kMaxChannels, " channels"));
  }
  return absl::OkStatus();
}

template <class Value>
void ToFloat(const char* from, size_t count, float* to) {
  for (size_t i = 0; i < count; ++i, from += sizeof(Value)) {
    Value value;  // the bytes may not be aligned
    std::memcpy(&value, from, sizeof(value));
    to[i] = static_cast<float>(value);
  }
}

class NpyImage : public EncodedImage {
 public:
  // `array` is one that CheckImage accepts.
  NpyImage(NpyArray array, absl::string_view bytes) : array_(std::move(array)), bytes_(bytes) {}

  int64_t rows() const override { return array_.shape[0]; }
  int64_t cols() const override { return array_.shape[1]; }
  StoredPixels stored() const override {
    const int n = channels();
    return {n == 1   ? "grey"
            : n == 3 ? "RGB"
                     : absl::StrCat(n, " channels"),
            static_cast<int>(8 * array_.width)};
  }

  absl::StatusOr<cv::Mat> Decode(int wanted) override {
    const bool as_planes = rows() == wanted || (rows() < channels() && cols() == channels());
    if (channels() > kMaxColours && channels() != wanted && as_planes) {
      return SeemsToBePlanes(array_);
    }
    const char* from = bytes_.data() + array_.offset;
    std::string ordered;
    if (array_.fortran_order || (array_.big_endian && array_.width > 1)) {
      ordered = Ordered(from);
      from = ordered.data();
    }
    const int type = array_.kind != 'u'  ? CV_32F
                     : array_.width == 1 ? CV_8U
                     : array_.width == 2 ? CV_16U
                                         : CV_32F;
    cv::Mat image(static_cast<int>(rows()), static_cast<int>(cols()),
                  CV_MAKETYPE(type, channels()));
    const size_t count = image.total() * channels();
    if (type != CV_32F || (array_.kind == 'f' && array_.width == 4)) {
      std::memcpy(image.data, from, count * array_.width);
      return image;
    }
    if (array_.kind == 'f' && array_.width == 2) {
      cv::Mat halves(image.size(), CV_MAKETYPE(CV_16F, channels()));
      std::memcpy(halves.data, from, count * array_.width);
      halves.convertTo(image, CV_32F);
      return image;
    }
    Convert(from, count, image.ptr<float>());
    return image;
  }

 private:
  int channels() const { return array_.shape.size() == 3 ? static_cast<int>(array_.shape[2]) : 1; }

  // The values in C order, the lowest byte first.
  std::string Ordered(const char* from) const {
    const auto width = static_cast<size_t>(array_.width);
    const int64_t n = channels();
    std::string values(rows() * cols() * n * width, '\0');
    char* to = values.data();
    for (int64_t y = 0; y < rows(); ++y) {
      for (int64_t x = 0; x < cols(); ++x) {
        for (int64_t c = 0; c < n; ++c, to += width) {
          const int64_t at =
              array_.fortran_order ? (c * cols() + x) * rows() + y : (y * cols() + x) * n + c;
          std::copy_n(from + at * width, width, to);
          if (array_.big_endian) std::reverse(to, to + width);
        }
      }
    }
    return values;
  }

  void Convert(const char* from, size_t count, float* to) const {
    if (array_.kind == 'f') return ToFloat<double>(from, count, to);
    const bool is_signed = array_.kind == 'i';
    switch (array_.width) {
      case 1:
        return ToFloat<int8_t>(from, count, to);
      case 2:
        return ToFloat<int16_t>(from, count, to);
      case 4:
        return is_signed ? ToFloat<int32_t>(from, count, to) : ToFloat<uint32_t>(from, count, to);
      default:
        return is_signed ? ToFloat<int64_t>(from, count, to) : ToFloat<uint64_t>(from, count, to);
    }
  }

  const NpyArray array_;
  const absl::string_view bytes_;
};

class Npy : public Codec {
 public:
  bool Recognises(absl::string_view bytes) const override {
    return absl::StartsWith(bytes, absl::string_view("\x93NUMPY", 6));
  }

  std::vector<std::string> Endings() const override { return {".npy"}; }
  bool HoldsAnything() const override { return true; }

  absl::StatusOr<std::unique_ptr<EncodedImage>> Open(absl::string_view bytes) const override {
    auto array = tensors::ReadNpyArray("", bytes, static_cast<int64_t>(bytes.size()));
    if (!array.ok()) {
      return absl::DataLossError(absl::StripPrefix(array.status().message(), "'' "));
    }
    if (absl::Status s = CheckImage(*array); !s.ok()) return s;
    return std::make_unique<NpyImage>(*std::move(array), bytes);
  }
};

absl::StatusOr<std::unique_ptr<Codec>> MakeNpy(const registry::NoOptions&) {
  return std::make_unique<Npy>();
}

REGISTER_PLUGIN(Codecs, "npy", "NumPy's arrays of one image each (.npy), H x W or H x W x C",
                registry::NoOptions, MakeNpy);

}  // namespace
}  // namespace data
