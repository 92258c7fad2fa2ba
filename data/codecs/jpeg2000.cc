// JPEG 2000, by OpenJPEG: files (.jp2) and bare codestreams (.j2k), grey and colours of up to 16
// bits, and up to 64 components.
#include <openjpeg.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/codec.h"
#include "data/decode_options.h"

namespace data {
namespace {

constexpr absl::string_view kBox("\0\0\0\x0CjP  \r\n\x87\n", 12);
constexpr absl::string_view kStream("\xFF\x4F\xFF\x51", 4);  // start, then the sizes
constexpr int64_t kMaxTiles = 1 << 14;                       // the library keeps 6 kB for each

// The library's view of the bytes.
struct Source {
  absl::string_view bytes;
  size_t at = 0;
  std::string error;

  static OPJ_SIZE_T Read(void* out, OPJ_SIZE_T size, void* self) {
    auto& source = *static_cast<Source*>(self);
    const size_t got = std::min<size_t>(size, source.bytes.size() - source.at);
    if (got == 0) return static_cast<OPJ_SIZE_T>(-1);
    std::memcpy(out, source.bytes.data() + source.at, got);
    source.at += got;
    return got;
  }
  static OPJ_OFF_T Skip(OPJ_OFF_T count, void* self) {
    auto& source = *static_cast<Source*>(self);
    const auto left = static_cast<OPJ_OFF_T>(source.bytes.size() - source.at);
    if (count < 0 || left == 0) return -1;
    source.at += std::min(count, left);
    return std::min(count, left);
  }
  static OPJ_BOOL Seek(OPJ_OFF_T to, void* self) {
    auto& source = *static_cast<Source*>(self);
    if (to < 0 || static_cast<size_t>(to) > source.bytes.size()) return OPJ_FALSE;
    source.at = to;
    return OPJ_TRUE;
  }
  static void OnError(const char* message, void* self) {
    auto& source = *static_cast<Source*>(self);
    if (source.error.empty()) source.error = std::string(absl::StripAsciiWhitespace(message));
  }
  static void Ignore(const char*, void*) {}

  absl::Status Error() const {
    if (absl::StrContains(error, "memory")) {
      return OutOfMemory(error);
    }
    return Damaged(error.empty() ? "it ends before its pixels" : error);
  }
};

template <class T, void (*kDestroy)(T*)>
struct Destroyer {
  void operator()(T* object) const { kDestroy(object); }
};
using Stream = std::unique_ptr<opj_stream_t, Destroyer<opj_stream_t, opj_stream_destroy>>;
using Decoder = std::unique_ptr<opj_codec_t, Destroyer<opj_codec_t, opj_destroy_codec>>;
using Image = std::unique_ptr<opj_image_t, Destroyer<opj_image_t, opj_image_destroy>>;

// The sizes of the codestream, which are read here so that nothing is allocated for them.
struct Sizes {
  int64_t rows = 0, cols = 0, tiles = 0;
  int components = 0, bits = 8;

  // False if there is no codestream, or its header is cut or contradicts itself.
  bool Read(absl::string_view bytes) {
    const size_t begin = bytes.find(kStream);
    if (begin == absl::string_view::npos || bytes.size() - begin < 48) return false;
    const auto* p = reinterpret_cast<const uint8_t*>(bytes.data()) + begin + 8;
    const auto next = [&p] {
      const int64_t value = int64_t{p[0]} << 24 | p[1] << 16 | p[2] << 8 | p[3];
      p += 4;
      return value;
    };
    const int64_t right = next(), bottom = next(), left = next(), top = next();
    const int64_t tile_cols = next(), tile_rows = next(), tile_left = next(), tile_top = next();
    components = p[0] << 8 | p[1];
    bits = 1 + (p[2] & 0x7F);  // of the first; the highest bit is that of a sign
    rows = bottom - top;
    cols = right - left;
    if (rows <= 0 || cols <= 0 || tile_cols == 0 || tile_rows == 0 || components == 0) return false;
    tiles = ((right - tile_left + tile_cols - 1) / tile_cols) *
            ((bottom - tile_top + tile_rows - 1) / tile_rows);
    return tiles > 0;
  }
};

class Jpeg2000Image : public EncodedImage {
 public:
  Jpeg2000Image(absl::string_view bytes, const Sizes& sizes) : sizes_(sizes) {
    source_.bytes = bytes;
  }

  int64_t rows() const override { return sizes_.rows; }
  int64_t cols() const override { return sizes_.cols; }
  StoredPixels stored() const override {
    constexpr const char* kModes[] = {"grey", "grey and alpha", "RGB", "RGB and alpha"};
    return {sizes_.components <= 4 ? kModes[sizes_.components - 1]
                                   : absl::StrCat(sizes_.components, " channels"),
            sizes_.bits};
  }

  absl::StatusOr<cv::Mat> Decode(int /*channels*/) override {
    const Stream stream(opj_stream_default_create(OPJ_TRUE));
    const bool box = absl::StartsWith(source_.bytes, kBox);
    const Decoder decoder(opj_create_decompress(box ? OPJ_CODEC_JP2 : OPJ_CODEC_J2K));
    if (!stream || !decoder) {
      return OutOfMemory();
    }
    opj_stream_set_user_data(stream.get(), &source_, nullptr);
    opj_stream_set_user_data_length(stream.get(), source_.bytes.size());
    opj_stream_set_read_function(stream.get(), Source::Read);
    opj_stream_set_skip_function(stream.get(), Source::Skip);
    opj_stream_set_seek_function(stream.get(), Source::Seek);
    opj_set_error_handler(decoder.get(), Source::OnError, &source_);
    opj_set_warning_handler(decoder.get(), Source::Ignore, nullptr);
    opj_set_info_handler(decoder.get(), Source::Ignore, nullptr);
    opj_dparameters_t parameters;
    opj_set_default_decoder_parameters(&parameters);
    opj_image_t* header = nullptr;
    if (!opj_setup_decoder(decoder.get(), &parameters) ||
        !opj_read_header(stream.get(), decoder.get(), &header)) {
      return source_.Error();
    }
    const Image image(header);
    if (!opj_decode(decoder.get(), stream.get(), image.get()) ||
        !opj_end_decompress(decoder.get(), stream.get())) {
      return source_.Error();
    }
    return Pixels(*image);
  }

 private:
  absl::StatusOr<cv::Mat> Pixels(const opj_image_t& image) const {
    const int count = static_cast<int>(image.numcomps);
    if (count < 1 || count > kMaxChannels) {
      return absl::DataLossError(
          absl::StrCat("has ", count, " components, more than ", kMaxChannels, "; leave some out"));
    }
    uint32_t bits = 0;
    for (int c = 0; c < count; ++c) {
      const opj_image_comp_t& component = image.comps[c];
      if (component.data == nullptr || component.w == 0 || component.h == 0) {
        return Damaged("a component has no pixels");
      }
      if (component.prec > 16) {
        return absl::DataLossError(absl::StrCat("is a JPEG 2000 image of ", component.prec,
                                                " bits, which this program does not read; convert "
                                                "it to TIFF"));
      }
      bits = std::max(bits, component.prec);
    }
    cv::Mat pixels(static_cast<int>(sizes_.rows), static_cast<int>(sizes_.cols),
                   CV_MAKETYPE(bits > 8 ? CV_16U : CV_8U, count));
    for (int c = 0; c < count; ++c) {
      if (bits > 8) {
        Copy<uint16_t>(image.comps[c], c, pixels);
      } else {
        Copy<uint8_t>(image.comps[c], c, pixels);
      }
    }
    if (image.color_space == OPJ_CLRSPC_SYCC && count >= 3 && bits <= 8) FromYcc(pixels);
    return pixels;
  }

  // A component of fewer columns or rows is repeated.
  template <class Value>
  static void Copy(const opj_image_comp_t& component, int channel, cv::Mat& pixels) {
    const int64_t low = component.sgnd ? -(int64_t{1} << (component.prec - 1)) : 0;
    const int64_t stored = (int64_t{1} << component.prec) - 1;
    const int64_t largest = static_cast<Value>(-1);
    const int count = pixels.channels();
    for (int y = 0; y < pixels.rows; ++y) {
      const uint32_t row = std::min(y / std::max(component.dy, 1u), component.h - 1);
      const OPJ_INT32* in = component.data + size_t{row} * component.w;
      Value* out = pixels.ptr<Value>(y) + channel;
      for (int x = 0; x < pixels.cols; ++x, out += count) {
        const int64_t value = in[std::min(x / std::max(component.dx, 1u), component.w - 1)] - low;
        *out = static_cast<Value>(std::clamp<int64_t>(value, 0, stored) * largest / stored);
      }
    }
  }

  // ITU-R 601, as JPEG has it.
  static void FromYcc(cv::Mat& pixels) {
    const auto clip = [](double value) {
      return static_cast<uint8_t>(std::clamp(value + 0.5, 0.0, 255.0));
    };
    for (int y = 0; y < pixels.rows; ++y) {
      uint8_t* p = pixels.ptr(y);
      for (int x = 0; x < pixels.cols; ++x, p += pixels.channels()) {
        const double luma = p[0], blue = p[1] - 128, red = p[2] - 128;
        p[0] = clip(luma + 1.402 * red);
        p[1] = clip(luma - 0.344136 * blue - 0.714136 * red);
        p[2] = clip(luma + 1.772 * blue);
      }
    }
  }

  const Sizes sizes_;
  Source source_;
};

class Jpeg2000 : public Codec {
 public:
  bool Recognises(absl::string_view bytes) const override {
    return absl::StartsWith(bytes, kBox) || absl::StartsWith(bytes, kStream);
  }

  std::vector<std::string> Endings() const override {
    return {".j2c", ".j2k", ".jp2", ".jpc", ".jpf", ".jpx"};
  }

  absl::StatusOr<std::unique_ptr<EncodedImage>> Open(absl::string_view bytes) const override {
    Sizes sizes;
    if (!sizes.Read(bytes)) return Damaged("its header is cut or wrong");
    if (sizes.tiles > kMaxTiles) return Damaged("its tiles are much smaller than the image");
    if (sizes.components > kMaxChannels) {
      return absl::DataLossError(absl::StrCat("has ", sizes.components, " components, more than ",
                                              kMaxChannels, "; leave some out"));
    }
    return std::make_unique<Jpeg2000Image>(bytes, sizes);
  }
};

absl::StatusOr<std::unique_ptr<Codec>> MakeJpeg2000(const registry::NoOptions&) {
  return std::make_unique<Jpeg2000>();
}

REGISTER_PLUGIN(Codecs, "jpeg2000", "JPEG 2000 files and codestreams (.jp2, .j2k, ...)",
                registry::NoOptions, MakeJpeg2000);

}  // namespace
}  // namespace data
