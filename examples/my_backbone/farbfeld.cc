// farbfeld: "farbfeld", width and height (32 bits), then red, green, blue and alpha (16 bits each),
// all with the highest byte first.
#include <cstdint>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "data/codec.h"
#include "registry/no_options.h"
#include "registry/registry.h"

namespace my {
namespace {

constexpr size_t kHeader = 16;

// The `bytes` at `at` as one number.
uint32_t Number(absl::string_view file, size_t at, int bytes) {
  uint32_t number = 0;
  for (int i = 0; i < bytes; ++i) number = number << 8 | static_cast<uint8_t>(file[at + i]);
  return number;
}

class FarbfeldImage : public data::EncodedImage {
 public:
  explicit FarbfeldImage(absl::string_view file) : file_(file) {}

  int64_t rows() const override { return Number(file_, 12, 4); }
  int64_t cols() const override { return Number(file_, 8, 4); }
  data::StoredPixels stored() const override { return {"RGB and alpha", 16}; }

  absl::StatusOr<cv::Mat> Decode(int) override {
    if ((file_.size() - kHeader) / 8 < static_cast<uint64_t>(rows()) * cols()) {
      return data::Damaged("it ends before its pixels");
    }
    cv::Mat image(static_cast<int>(rows()), static_cast<int>(cols()), CV_16UC4);
    size_t at = kHeader;
    for (int y = 0; y < image.rows; ++y) {
      auto* out = image.ptr<uint16_t>(y);
      for (int i = 0; i < 4 * image.cols; ++i, at += 2) {
        out[i] = static_cast<uint16_t>(Number(file_, at, 2));
      }
    }
    return image;
  }

 private:
  const absl::string_view file_;
};

class Farbfeld : public data::Codec {
 public:
  bool Recognises(absl::string_view bytes) const override {
    return absl::StartsWith(bytes, "farbfeld");
  }

  std::vector<std::string> Endings() const override { return {".ff"}; }

  absl::StatusOr<std::unique_ptr<data::EncodedImage>> Open(absl::string_view bytes) const override {
    if (bytes.size() < kHeader) return data::Damaged("it ends within its header");
    return std::make_unique<FarbfeldImage>(bytes);
  }
};

absl::StatusOr<std::unique_ptr<data::Codec>> MakeFarbfeld(const registry::NoOptions&) {
  return std::make_unique<Farbfeld>();
}

REGISTER_PLUGIN(data::Codecs, "farbfeld", "farbfeld images (.ff)", registry::NoOptions,
                MakeFarbfeld);

}  // namespace
}  // namespace my
