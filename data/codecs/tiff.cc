// TIFF, by libtiff: the first page, in strips or tiles, interleaved or in planes, turned as its
// orientation tag says (Pillow turns TIFF, and TIFF alone).
#include <tiffio.h>

#include <algorithm>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <opencv2/core.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "data/codec.h"

namespace data {
namespace {

// What a damaged header may make the library ask for at once.
constexpr tmsize_t kMaxAllocation = tmsize_t{1} << 31;
// Tiles may be larger than the image; a tile of more bytes, and more than four times the image's,
// is refused.
constexpr int64_t kUsualTileBytes = 64 << 20;

// NaN becomes 0, too.
uint8_t Clip(double value) { return value > 0 ? static_cast<uint8_t>(std::min(value, 255.0)) : 0; }

// The file as libtiff sees it, and what it says of it.
struct Source {
  absl::string_view bytes;
  uint64_t at = 0;
  std::string error;   // the first
  std::string damage;  // of which the library only warns

  static tmsize_t Read(thandle_t self, void* out, tmsize_t size) {
    auto& source = *static_cast<Source*>(self);
    if (source.at >= source.bytes.size()) return 0;
    const uint64_t got = std::min<uint64_t>(size, source.bytes.size() - source.at);
    std::memcpy(out, source.bytes.data() + source.at, got);
    source.at += got;
    return static_cast<tmsize_t>(got);
  }
  static tmsize_t Write(thandle_t, void*, tmsize_t) { return 0; }
  static toff_t Seek(thandle_t self, toff_t offset, int whence) {
    auto& source = *static_cast<Source*>(self);
    source.at = offset + (whence == SEEK_CUR   ? source.at
                          : whence == SEEK_END ? source.bytes.size()
                                               : 0);
    return source.at;
  }
  static int Close(thandle_t) { return 0; }
  static toff_t Size(thandle_t self) { return static_cast<Source*>(self)->bytes.size(); }

  // 1: the message goes no further.
  static int OnError(TIFF*, void* self, const char*, const char* format, va_list arguments) {
    std::string& error = static_cast<Source*>(self)->error;
    if (!error.empty()) return 1;
    char text[256];
    std::vsnprintf(text, sizeof(text), format, arguments);
    error = absl::StrReplaceAll(text, {{"\n", " "}});
    return 1;
  }
  static int OnWarning(TIFF*, void* self, const char* module, const char* format,
                       va_list arguments) {
    char text[256];
    std::vsnprintf(text, sizeof(text), format, arguments);
    Source& source = *static_cast<Source*>(self);
    if (module != nullptr && absl::StrContains(module, "JPEG") &&
        absl::StrContains(text, "remature end")) {
      source.damage = "a JPEG strip ends before its pixels";
    }
    // Without these tags, the library would go on with other colours.
    for (const char* tag : {"ColorMap", "ExtraSamples", "SampleFormat", "YCbCr", "Orientation"}) {
      if (absl::StrContains(text, "IO error during reading") && absl::StrContains(text, tag)) {
        source.damage = absl::StrCat("its tag ", tag, " is cut off");
      }
    }
    return 1;
  }

  absl::Status Error(absl::string_view otherwise) const {
    if ((absl::StrContains(error, "ailed to allocate") &&
         !absl::StrContains(error, "(0 elements")) ||
        absl::StrContains(error, "ut of memory")) {
      return absl::ResourceExhaustedError(
          absl::StrCat("cannot be decoded: out of memory (", error, ")"));
    }
    return Damaged(error.empty() ? otherwise : absl::string_view(error));
  }
};

struct Closer {
  void operator()(TIFF* tiff) const { TIFFClose(tiff); }
};
using Handle = std::unique_ptr<TIFF, Closer>;

Handle OpenTiff(Source& source) {
  const std::unique_ptr<TIFFOpenOptions, void (*)(TIFFOpenOptions*)> options(TIFFOpenOptionsAlloc(),
                                                                             TIFFOpenOptionsFree);
  if (!options) return nullptr;
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), kMaxAllocation);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), Source::OnError, &source);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), Source::OnWarning, &source);
  // "m": not mapped, so that every byte is asked for and counted.
  return Handle(TIFFClientOpenExt("image", "rm", &source, Source::Read, Source::Write, Source::Seek,
                                  Source::Close, Source::Size, nullptr, nullptr, options.get()));
}

// How the first page is stored.
struct Layout {
  uint32_t cols = 0, rows = 0;
  uint16_t bits = 1, samples = 1, format = SAMPLEFORMAT_UINT, planar = PLANARCONFIG_CONTIG;
  uint16_t photometric = PHOTOMETRIC_MINISWHITE, compression = COMPRESSION_NONE;
  uint16_t orientation = ORIENTATION_TOPLEFT;
  std::vector<uint16_t> extra;  // kinds of the samples behind the colours

  static Layout Of(TIFF* tiff) {
    Layout layout;
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &layout.cols);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &layout.rows);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &layout.bits);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &layout.samples);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &layout.format);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &layout.planar);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &layout.compression);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &layout.orientation);
    TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &layout.photometric);
    uint16_t count = 0;
    uint16_t* kinds = nullptr;
    if (TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds))
      layout.extra.assign(kinds, kinds + count);
    return layout;
  }

  bool turned() const {
    return orientation >= ORIENTATION_LEFTTOP && orientation <= ORIENTATION_LEFTBOT;
  }

  // Of the photometric interpretation; 0 if it is not one of those that are read.
  int colours() const {
    switch (photometric) {
      case PHOTOMETRIC_MINISWHITE:
      case PHOTOMETRIC_MINISBLACK:
      case PHOTOMETRIC_PALETTE:
        return 1;
      case PHOTOMETRIC_RGB:
        return 3;
      case PHOTOMETRIC_YCBCR:
        return samples == 1 ? 1 : 3;
      case PHOTOMETRIC_SEPARATED:
        return 4;
    }
    return 0;
  }

  // The kind of the sample behind the colours, EXTRASAMPLE_UNSPECIFIED if it is no alpha. RGB with
  // a fourth sample that the file says nothing of has alpha.
  int alpha() const {
    if (samples <= colours()) return EXTRASAMPLE_UNSPECIFIED;
    if (extra.empty()) return colours() == 3 ? EXTRASAMPLE_UNASSALPHA : EXTRASAMPLE_UNSPECIFIED;
    return extra[0] == EXTRASAMPLE_ASSOCALPHA    ? EXTRASAMPLE_ASSOCALPHA
           : extra[0] == EXTRASAMPLE_UNSPECIFIED ? EXTRASAMPLE_UNSPECIFIED
                                                 : EXTRASAMPLE_UNASSALPHA;
  }

  // The type of a sample in memory, -1 if it is not one that is read.
  int depth() const {
    if (format == SAMPLEFORMAT_IEEEFP) return bits == 32 ? CV_32F : bits == 64 ? CV_64F : -1;
    if (format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_INT && format != SAMPLEFORMAT_VOID)
      return -1;
    switch (bits) {
      case 1:
      case 2:
      case 4:
      case 8:
        return CV_8U;
      case 12:
        return CV_16U;
      case 16:
        return format == SAMPLEFORMAT_INT ? CV_16S : CV_16U;
      case 32:
        return CV_32S;
    }
    return -1;
  }

  // Why the image is not read; empty if it is.
  std::string Unsupported() const {
    if (colours() == 0) return absl::StrCat("photometric interpretation ", photometric);
    if (depth() < 0) return absl::StrCat(bits, " bits of sample format ", format);
    if (samples < colours()) return absl::StrCat(samples, " samples for ", colours(), " colours");
    if (colours() > 1 && depth() != CV_8U && depth() != CV_16U)
      return absl::StrCat(bits, "-bit colour");
    if (samples - colours() > std::max<int>(extra.size(), 1))
      return absl::StrCat(samples, " channels");
    if (colours() == 1 && samples > 2) return absl::StrCat(samples, " channels");
    return "";
  }
};

class TiffImage : public EncodedImage {
 public:
  explicit TiffImage(absl::string_view bytes) { source_.bytes = bytes; }

  // Before everything else.
  absl::Status ReadHeader() {
    tiff_ = OpenTiff(source_);
    if (!tiff_) return source_.Error("invalid TIFF header");
    source_.error.clear();  // of a tag that was then passed over
    layout_ = Layout::Of(tiff_.get());
    return absl::OkStatus();
  }

  int64_t rows() const override { return layout_.turned() ? layout_.cols : layout_.rows; }
  int64_t cols() const override { return layout_.turned() ? layout_.rows : layout_.cols; }
  StoredPixels stored() const override {
    const bool alpha = layout_.alpha() != EXTRASAMPLE_UNSPECIFIED;
    return {layout_.photometric == PHOTOMETRIC_PALETTE ? "palette"
            : layout_.colours() == 1                   ? (alpha ? "grey and alpha" : "grey")
            : layout_.colours() == 3                   ? (alpha ? "RGB and alpha" : "RGB")
            : layout_.colours() == 4                   ? "CMYK"
                                                       : "other",
            layout_.bits};
  }

  absl::StatusOr<cv::Mat> Decode(int channels) override {
    if (const std::string what = layout_.Unsupported(); !what.empty()) {
      return absl::DataLossError(absl::StrCat("is a TIFF image that this program cannot read (",
                                              what, "); convert it to PNG"));
    }
    if (!TIFFIsCODECConfigured(layout_.compression)) {
      return absl::DataLossError(absl::StrCat("is a TIFF image whose compression (",
                                              layout_.compression,
                                              ") this program cannot read; convert it to PNG"));
    }
    const bool ycbcr = layout_.photometric == PHOTOMETRIC_YCBCR && layout_.samples > 1;
    auto image = ycbcr && !DecodeYcbcrAsRgb() ? ReadByRgba() : ReadSamples();
    if (!image.ok()) return image.status();
    if (!source_.damage.empty()) return Damaged(source_.damage);
    if (!ycbcr) image = ToColours(*std::move(image), /*alpha=*/channels % 2 == 0);
    if (!image.ok()) return image.status();
    return Turned(*image);
  }

 private:
  // JPEG's YCbCr is best converted by the JPEG library.
  bool DecodeYcbcrAsRgb() {
    return layout_.compression == COMPRESSION_JPEG && layout_.planar == PLANARCONFIG_CONTIG &&
           TIFFSetField(tiff_.get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  }

  absl::StatusOr<cv::Mat> ReadByRgba() {
    char error[1024] = "";
    TIFFRGBAImage reader;
    if (!TIFFRGBAImageBegin(&reader, tiff_.get(), /*stop=*/1, error)) return source_.Error(error);
    reader.req_orientation = reader.orientation;
    cv::Mat rgba(layout_.rows, layout_.cols, CV_8UC4);
    const bool read = TIFFRGBAImageGet(&reader, rgba.ptr<uint32_t>(), layout_.cols, layout_.rows);
    TIFFRGBAImageEnd(&reader);
    if (!read) return source_.Error("cannot be read");
    cv::Mat rgb(rgba.size(), CV_8UC3);
    const int channels[] = {0, 0, 1, 1, 2, 2};
    cv::mixChannels(&rgba, 1, &rgb, 1, channels, 3);
    return rgb;
  }

  // The colours and the sample behind them, as they are stored.
  absl::StatusOr<cv::Mat> ReadSamples() {
    TIFF* tiff = tiff_.get();
    const int used = std::min<int>(layout_.samples, layout_.colours() + 1);
    const bool planes = layout_.planar == PLANARCONFIG_SEPARATE;
    const bool tiled = TIFFIsTiled(tiff);
    uint32_t width = layout_.cols, height = layout_.rows;
    if (tiled) {
      TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &width);
      TIFFGetField(tiff, TIFFTAG_TILELENGTH, &height);
    } else {
      TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &height);
      height = std::min(height, layout_.rows);
    }
    const tmsize_t row_bytes = tiled ? TIFFTileRowSize(tiff) : TIFFScanlineSize(tiff);
    const tmsize_t part_bytes = tiled ? TIFFTileSize(tiff) : TIFFStripSize(tiff);
    const int stored = planes ? 1 : layout_.samples;  // samples of a pixel, side by side
    // The library's sizes are of YCbCr where the JPEG library gives RGB, so they are not taken on
    // trust.
    const int64_t needed = (int64_t{width} * stored * layout_.bits + 7) / 8;
    if (width == 0 || height == 0 || row_bytes < needed ||
        part_bytes < row_bytes * int64_t{height}) {
      return source_.Error("invalid sizes of strips or tiles");
    }
    cv::Mat image(layout_.rows, layout_.cols, CV_MAKETYPE(layout_.depth(), used));
    if (part_bytes > kUsualTileBytes &&
        part_bytes > 4 * static_cast<int64_t>(image.total() * image.elemSize())) {
      return Damaged("its tiles are much larger than the image");
    }
    std::vector<uint8_t> part(part_bytes);
    for (int plane = 0; plane < (planes ? used : 1); ++plane) {
      for (uint32_t y = 0; y < layout_.rows; y += height) {
        for (uint32_t x = 0; x < layout_.cols; x += width) {
          const tmsize_t read =
              tiled ? TIFFReadEncodedTile(tiff, TIFFComputeTile(tiff, x, y, 0, plane), part.data(),
                                          part_bytes)
                    : TIFFReadEncodedStrip(tiff, TIFFComputeStrip(tiff, y, plane), part.data(),
                                           part_bytes);
          const uint32_t rows = std::min(height, layout_.rows - y),
                         cols = std::min(width, layout_.cols - x);
          if (read < static_cast<tmsize_t>(row_bytes * rows))
            return source_.Error("a strip or tile is cut");
          for (uint32_t row = 0; row < rows; ++row) {
            uint8_t* out = image.ptr(static_cast<int>(y + row), static_cast<int>(x)) +
                           plane * image.elemSize1();
            CopyRow(part.data() + row * row_bytes, cols, stored, planes ? 1 : used, used, out);
          }
        }
      }
    }
    return image;
  }

  // Copies the first `used` of the `stored` samples of each pixel to pixels of `step` samples.
  void CopyRow(const uint8_t* row, uint32_t cols, int stored, int used, int step,
               uint8_t* out) const {
    switch (layout_.bits) {
      case 8:
        return Copy(row, cols, stored, used, step, out);
      case 16:
        return Copy(reinterpret_cast<const uint16_t*>(row), cols, stored, used, step,
                    reinterpret_cast<uint16_t*>(out));
      case 32:
        return Copy(reinterpret_cast<const uint32_t*>(row), cols, stored, used, step,
                    reinterpret_cast<uint32_t*>(out));
      case 64:
        return Copy(reinterpret_cast<const uint64_t*>(row), cols, stored, used, step,
                    reinterpret_cast<uint64_t*>(out));
    }
    // 1, 2, 4 or 12 bits, the first in the highest bits.
    size_t bit = 0;
    for (uint32_t x = 0; x < cols; ++x) {
      for (int s = 0; s < stored; ++s, bit += layout_.bits) {
        if (s >= used) continue;
        if (layout_.bits == 12) {
          const uint8_t* at = row + bit / 8;
          reinterpret_cast<uint16_t*>(out)[x * step + s] =
              bit % 8 == 0 ? at[0] << 4 | at[1] >> 4 : (at[0] & 15) << 8 | at[1];
        } else {
          out[x * step + s] =
              row[bit / 8] >> (8 - layout_.bits - bit % 8) & ((1 << layout_.bits) - 1);
        }
      }
    }
  }

  template <class Sample>
  static void Copy(const Sample* row, uint32_t cols, int stored, int used, int step, Sample* out) {
    for (uint32_t x = 0; x < cols; ++x, row += stored, out += step) std::copy(row, row + used, out);
  }

  // 8 bits a channel: grey, RGB, and alpha behind them if it is asked for and there is one.
  absl::StatusOr<cv::Mat> ToColours(cv::Mat samples, bool alpha) {
    if (layout_.photometric == PHOTOMETRIC_PALETTE) return FromPalette(samples, alpha);
    cv::Mat image = To8Bits(samples);
    if (layout_.photometric == PHOTOMETRIC_MINISWHITE && layout_.format != SAMPLEFORMAT_IEEEFP) {
      ForEach(image, [](uint8_t* pixel) { pixel[0] = 255 - pixel[0]; });
    }
    const int colours = layout_.colours();
    if (colours == 4) return FromCmyk(image);
    const int kind = layout_.alpha();
    if (kind == EXTRASAMPLE_ASSOCALPHA) {
      ForEach(image, [colours](uint8_t* pixel) {
        const int a = pixel[colours];
        for (int c = 0; c < colours; ++c) pixel[c] = a == 0 ? 0 : Clip(pixel[c] * 255 / a);
      });
    }
    if (image.channels() == colours || (alpha && kind != EXTRASAMPLE_UNSPECIFIED)) return image;
    cv::Mat opaque(image.size(), CV_8UC(colours));
    const int channels[] = {0, 0, 1, 1, 2, 2};
    cv::mixChannels(&image, 1, &opaque, 1, channels, colours);
    return opaque;
  }

  // Grey of more than 8 bits is scaled if its values have no sign, and else clipped at 0 and 255;
  // of colours the upper 8 bits are kept.
  cv::Mat To8Bits(const cv::Mat& samples) const {
    const bool grey = layout_.colours() == 1;
    if (samples.depth() == CV_8U && layout_.bits == 8) return samples;
    cv::Mat image(samples.size(), CV_8UC(samples.channels()));
    const int values = samples.cols * samples.channels();
    for (int y = 0; y < samples.rows; ++y) {
      uint8_t* out = image.ptr(y);
      for (int i = 0; i < values; ++i) {
        switch (samples.depth()) {
          case CV_8U:
            out[i] = samples.ptr(y)[i] * 255 / ((1 << layout_.bits) - 1);
            break;
          case CV_16U: {
            const uint32_t v = samples.ptr<uint16_t>(y)[i];
            out[i] = layout_.bits == 12 ? (v * 255 + 2047) / 4095
                     : grey             ? (v * 255 + 32895) >> 16
                                        : v >> 8;
            break;
          }
          case CV_16S:
            out[i] = Clip(samples.ptr<int16_t>(y)[i]);
            break;
          case CV_32S:
            out[i] = Clip(samples.ptr<int32_t>(y)[i]);
            break;
          case CV_32F:
            out[i] = Clip(samples.ptr<float>(y)[i]);
            break;
          case CV_64F:
            out[i] = Clip(samples.ptr<double>(y)[i]);
        }
      }
    }
    return image;
  }

  absl::StatusOr<cv::Mat> FromPalette(const cv::Mat& samples, bool alpha) {
    uint16_t* colours[3];
    if (samples.depth() != CV_8U ||
        !TIFFGetField(tiff_.get(), TIFFTAG_COLORMAP, &colours[0], &colours[1], &colours[2])) {
      return source_.Error("it has no palette");
    }
    alpha = alpha && layout_.alpha() != EXTRASAMPLE_UNSPECIFIED;
    cv::Mat image(samples.size(), alpha ? CV_8UC4 : CV_8UC3);
    for (int y = 0; y < image.rows; ++y) {
      const uint8_t* in = samples.ptr(y);
      uint8_t* out = image.ptr(y);
      for (int x = 0; x < image.cols; ++x, in += samples.channels(), out += image.channels()) {
        for (int c = 0; c < 3; ++c) out[c] = colours[c][in[0]] >> 8;
        if (alpha) out[3] = in[1];
      }
    }
    return image;
  }

  // As Pillow: 0 is no ink.
  static cv::Mat FromCmyk(const cv::Mat& cmyk) {
    cv::Mat rgb(cmyk.size(), CV_8UC3);
    for (int y = 0; y < cmyk.rows; ++y) {
      const uint8_t* in = cmyk.ptr(y);
      uint8_t* out = rgb.ptr(y);
      for (int x = 0; x < cmyk.cols; ++x, in += cmyk.channels(), out += 3) {
        const int light = 255 - in[3];
        for (int c = 0; c < 3; ++c) {
          const int ink = in[c] * light + 128;
          out[c] = static_cast<uint8_t>(std::max(light - ((ink + (ink >> 8)) >> 8), 0));
        }
      }
    }
    return rgb;
  }

  template <class Function>
  static void ForEach(cv::Mat& image, const Function& change) {
    for (int y = 0; y < image.rows; ++y) {
      for (int x = 0; x < image.cols; ++x) change(image.ptr(y, x));
    }
  }

  cv::Mat Turned(const cv::Mat& image) const {
    cv::Mat turned = image;
    if (layout_.turned()) cv::transpose(image, turned);
    switch (layout_.orientation) {
      case ORIENTATION_TOPRIGHT:
      case ORIENTATION_RIGHTTOP:
        cv::flip(turned, turned, 1);
        break;
      case ORIENTATION_BOTRIGHT:
      case ORIENTATION_RIGHTBOT:
        cv::flip(turned, turned, -1);
        break;
      case ORIENTATION_BOTLEFT:
      case ORIENTATION_LEFTBOT:
        cv::flip(turned, turned, 0);
    }
    return turned;
  }

  Source source_;
  Handle tiff_;
  Layout layout_;
};

class Tiff : public Codec {
 public:
  Tiff() {
    // Messages without a file, of which the library has a few.
    TIFFSetErrorHandler(nullptr);
    TIFFSetWarningHandler(nullptr);
  }

  bool Recognises(absl::string_view bytes) const override {
    for (const absl::string_view magic :
         {absl::string_view("II*\0", 4), absl::string_view("MM\0*", 4),
          absl::string_view("II+\0", 4), absl::string_view("MM\0+", 4)}) {
      if (absl::StartsWith(bytes, magic)) return true;
    }
    return false;
  }

  std::vector<std::string> Endings() const override { return {".tif", ".tiff"}; }

  absl::StatusOr<std::unique_ptr<EncodedImage>> Open(absl::string_view bytes) const override {
    auto image = std::make_unique<TiffImage>(bytes);
    if (absl::Status s = image->ReadHeader(); !s.ok()) return s;
    return image;
  }
};

absl::StatusOr<std::unique_ptr<Codec>> MakeTiff(const registry::NoOptions&) {
  return std::make_unique<Tiff>();
}

REGISTER_PLUGIN(Codecs, "tiff", "TIFF files (.tif, .tiff); of several pages the first",
                registry::NoOptions, MakeTiff);

}  // namespace
}  // namespace data
