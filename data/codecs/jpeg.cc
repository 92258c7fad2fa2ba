// JPEG, by TurboJPEG.
#include <turbojpeg.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/codec.h"

namespace data {
namespace {

struct FreeHandle {
  void operator()(void* handle) const { tjDestroy(handle); }
};

// One decoder for each thread. It is thrown away after an error: some damaged headers leave it in a
// state in which it refuses good images.
thread_local std::unique_ptr<void, FreeHandle> decoder;

void* Decoder() {
  if (!decoder) decoder.reset(tjInitDecompress());
  return decoder.get();
}

absl::Status DecoderError() {
  const std::string why = tjGetErrorStr2(decoder.get());
  decoder.reset();
  if (absl::StrContains(why, "Insufficient memory") || absl::StrContains(why, "allocation fail")) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot be decoded: out of memory (", why, ")"));
  }
  return Damaged(why);
}

// Whether the last warning is only about bytes between the last pixel and the end marker.
bool PixelsAreWhole() {
  return tjGetErrorCode(decoder.get()) == TJERR_WARNING &&
         absl::StrContains(tjGetErrorStr2(decoder.get()), "extraneous bytes before marker 0xd9");
}

// Adobe's CMYK files are inverted: 255 is no ink.
cv::Mat RgbOfCmyk(const cv::Mat& cmyk) {
  cv::Mat rgb(cmyk.rows, cmyk.cols, CV_8UC3);
  for (int y = 0; y < cmyk.rows; ++y) {
    const uint8_t* from = cmyk.ptr(y);
    uint8_t* to = rgb.ptr(y);
    for (int x = 0; x < cmyk.cols; ++x, from += 4, to += 3) {
      for (int c = 0; c < 3; ++c) {
        const int ink = (255 - from[c]) * from[3] + 128;
        to[c] = static_cast<uint8_t>(std::max(from[3] - ((ink + (ink >> 8)) >> 8), 0));
      }
    }
  }
  return rgb;
}

class JpegImage : public EncodedImage {
 public:
  JpegImage(absl::string_view bytes, int rows, int cols, int colorspace)
      : bytes_(bytes), rows_(rows), cols_(cols), colorspace_(colorspace) {}

  int64_t rows() const override { return rows_; }
  int64_t cols() const override { return cols_; }

  absl::StatusOr<cv::Mat> Decode(int channels) override {
    const bool cmyk = colorspace_ == TJCS_CMYK || colorspace_ == TJCS_YCCK;
    const bool grey = colorspace_ == TJCS_GRAY && channels < 3;
    cv::Mat image(rows_, cols_, cmyk ? CV_8UC4 : grey ? CV_8UC1 : CV_8UC3);
    if (tjDecompress2(Decoder(), reinterpret_cast<const unsigned char*>(bytes_.data()),
                      bytes_.size(), image.data, cols_, static_cast<int>(image.step), rows_,
                      cmyk   ? TJPF_CMYK
                      : grey ? TJPF_GRAY
                             : TJPF_RGB,
                      TJFLAG_LIMITSCANS) != 0 &&
        !PixelsAreWhole()) {
      return DecoderError();
    }
    return cmyk ? RgbOfCmyk(image) : image;
  }

 private:
  const absl::string_view bytes_;
  const int rows_, cols_, colorspace_;
};

class Jpeg : public Codec {
 public:
  bool Recognises(absl::string_view bytes) const override {
    return absl::StartsWith(bytes, "\xFF\xD8\xFF");
  }

  std::vector<std::string> Endings() const override { return {".jpg", ".jpeg"}; }

  absl::StatusOr<std::unique_ptr<EncodedImage>> Open(absl::string_view bytes) const override {
    int cols = -1, rows = -1, subsampling = -1, colorspace = -1;
    if (tjDecompressHeader3(Decoder(), reinterpret_cast<const unsigned char*>(bytes.data()),
                            bytes.size(), &cols, &rows, &subsampling, &colorspace) != 0 &&
        // A subsampling without a name in TurboJPEG is an error here, but not where it is decoded.
        (cols < 1 || rows < 1 || colorspace < 0)) {
      return DecoderError();
    }
    return std::make_unique<JpegImage>(bytes, rows, cols, colorspace);
  }
};

absl::StatusOr<std::unique_ptr<Codec>> MakeJpeg(const registry::NoOptions&) {
  return std::make_unique<Jpeg>();
}

REGISTER_PLUGIN(Codecs, "jpeg", "JPEG files (.jpg, .jpeg)", registry::NoOptions, MakeJpeg);

}  // namespace
}  // namespace data
