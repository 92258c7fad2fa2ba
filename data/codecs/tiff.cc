// TIFF, by libtiff: in strips or tiles, interleaved or in planes, turned as its
// orientation tag says (Pillow turns TIFF, and TIFF alone).
#include <tiffio.h>

#include <algorithm>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <opencv2/core.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "data/codec.h"
#include "data/decode_options.h"
#include "data/orientation.h"

namespace data {
namespace {

// What a damaged header may make the library ask for at once.
constexpr tmsize_t kMaxAllocation = tmsize_t{1} << 31;
// Tiles may be larger than the image; a tile of more bytes, and more than four times the image's,
// is refused.
constexpr int64_t kUsualTileBytes = 64 << 20;

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
      return OutOfMemory(error);
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

// Where the pages of a file are: the first directory, and of the further ones those that hold
// neither a smaller copy of an image (GDAL's overviews, thumbnails) nor a mask, as their
// NewSubfileType says. Read here because the library would parse every tag of every directory.
class Directories {
 public:
  explicit Directories(absl::string_view bytes) : bytes_(bytes) {
    if (bytes.size() < 8) return;
    little_endian_ = bytes[0] == 'I';
    big_ = Number(2, 2) == 43;
    std::set<uint64_t> seen;  // a damaged file may go round
    uint64_t at = big_ ? Number(8, 8) : Number(4, 4);
    while (at != 0 && Holds(at, big_ ? 8 : 2) && seen.insert(at).second) {
      const uint64_t tags = Number(at, big_ ? 8 : 2), begin = at + (big_ ? 8 : 2);
      const uint64_t tag_bytes = big_ ? 20 : 12;
      if (tags > (bytes.size() - begin) / tag_bytes) break;
      if (pages_.empty() || !IsCopyOrMask(begin, tags, tag_bytes)) pages_.push_back(at);
      const uint64_t next = begin + tags * tag_bytes;
      at = Holds(next, big_ ? 8 : 4) ? Number(next, big_ ? 8 : 4) : 0;
    }
  }

  // The offsets of the pages.
  const std::vector<uint64_t>& pages() const { return pages_; }

 private:
  bool Holds(uint64_t at, uint64_t size) const {
    return at <= bytes_.size() && size <= bytes_.size() - at;
  }

  uint64_t Number(uint64_t at, int size) const {
    uint64_t value = 0;
    for (int i = 0; i < size && at + i < bytes_.size(); ++i) {
      const uint64_t byte = static_cast<uint8_t>(bytes_[at + i]);
      value |= byte << 8 * (little_endian_ ? i : size - 1 - i);
    }
    return value;
  }

  bool IsCopyOrMask(uint64_t begin, uint64_t tags, uint64_t tag_bytes) const {
    for (uint64_t i = 0; i < tags; ++i) {
      const uint64_t at = begin + i * tag_bytes, value = at + (big_ ? 12 : 8);
      const uint64_t tag = Number(at, 2);
      const int size = Number(at + 2, 2) == TIFF_SHORT ? 2 : 4;
      if (tag == TIFFTAG_SUBFILETYPE)
        return (Number(value, size) & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK)) != 0;
      if (tag == TIFFTAG_OSUBFILETYPE) return Number(value, size) == OFILETYPE_REDUCEDIMAGE;
    }
    return false;
  }

  const absl::string_view bytes_;
  bool little_endian_ = true, big_ = false;
  std::vector<uint64_t> pages_;
};

// How a page is stored.
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
    if (format == SAMPLEFORMAT_IEEEFP)
      return bits == 16 ? CV_16F : bits == 32 ? CV_32F : bits == 64 ? CV_64F : -1;
    if (format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_INT && format != SAMPLEFORMAT_VOID)
      return -1;
    if (format == SAMPLEFORMAT_INT && bits == 8) return CV_8S;
    if (format == SAMPLEFORMAT_INT && bits == 16) return CV_16S;
    return bits <= 8 ? CV_8U : bits <= 16 ? CV_16U : bits == 32 ? CV_32S : -1;
  }

  // Whether every sample is a channel of its own: there are more than a colour and its alpha, or as
  // many as the caller wants, and none of them is alpha.
  bool samples_are_channels(int wanted) const {
    const bool other = photometric != PHOTOMETRIC_MINISBLACK &&
                       photometric != PHOTOMETRIC_MINISWHITE && photometric != PHOTOMETRIC_RGB;
    if (other) return false;
    return (colours() == 1 && samples > 2) ||
           (samples == wanted && alpha() == EXTRASAMPLE_UNSPECIFIED);
  }

  // Why the image is not read; empty if it is.
  std::string Unsupported() const {
    if (colours() == 0) return absl::StrCat("photometric interpretation ", photometric);
    if (depth() < 0) return absl::StrCat(bits, " bits of sample format ", format);
    if (samples < colours()) return absl::StrCat(samples, " samples for ", colours(), " colours");
    if (samples > kMaxChannels) return absl::StrCat(samples, " channels");
    if (compression == COMPRESSION_JPEG && bits != 8)
      return absl::StrCat("JPEG of ", bits, " bits");
    const bool wide_colours = colours() > 1 && depth() != CV_8U && depth() != CV_16U;
    if (wide_colours && (photometric != PHOTOMETRIC_RGB || alpha() == EXTRASAMPLE_ASSOCALPHA))
      return absl::StrCat(bits, "-bit colour");
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
    stack_ = StackOfImagej();
    return absl::OkStatus();
  }

  int64_t pages() override {
    const auto found = static_cast<int64_t>(Directories(source_.bytes).pages().size());
    return std::max({int64_t{1}, found, stack_});
  }

  absl::Status SelectPage(int64_t page) override {
    const Directories directories(source_.bytes);
    if (page >= static_cast<int64_t>(directories.pages().size())) {
      if (page >= stack_) return Damaged(absl::StrCat("it has no page ", page + 1));
      return absl::DataLossError(absl::StrCat(
          "is an ImageJ stack of ", stack_, " images, of which only the first has a directory, as ",
          "ImageJ writes more than 4 GB; write it again, for example with tifffile.imwrite(FILE, ",
          "tifffile.imread(THIS), bigtiff=True, photometric='minisblack')"));
    }
    if (!TIFFSetSubDirectory(tiff_.get(), directories.pages()[page])) {
      return source_.Error(absl::StrCat("its page ", page + 1, " cannot be read"));
    }
    source_.error.clear();
    layout_ = Layout::Of(tiff_.get());
    return absl::OkStatus();
  }

  int64_t rows() const override { return layout_.turned() ? layout_.cols : layout_.rows; }
  int64_t cols() const override { return layout_.turned() ? layout_.rows : layout_.cols; }
  StoredPixels stored() const override {
    const bool alpha = layout_.alpha() != EXTRASAMPLE_UNSPECIFIED;
    return {layout_.photometric == PHOTOMETRIC_PALETTE ? "palette"
            : layout_.colours() == 1 && layout_.samples > 2
                ? absl::StrCat(layout_.samples, " channels")
            : layout_.colours() == 1 ? (alpha ? "grey and alpha" : "grey")
            : layout_.colours() == 3 ? (alpha ? "RGB and alpha" : "RGB")
            : layout_.colours() == 4 ? "CMYK"
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
    const bool as_stored = layout_.samples_are_channels(channels);
    const int used = as_stored ? layout_.samples : layout_.colours() + 1;
    auto image = ycbcr && !DecodeYcbcrAsRgb() ? ReadByRgba() : ReadSamples(used);
    if (!image.ok()) return image.status();
    if (!source_.damage.empty()) return Damaged(source_.damage);
    if (layout_.photometric == PHOTOMETRIC_PALETTE) {
      image = FromPalette(*image, /*alpha=*/channels % 2 == 0);
    } else if (!ycbcr) {
      cv::Mat values = Scaled(*image);
      image = as_stored ? values : ToColours(std::move(values), /*alpha=*/channels % 2 == 0);
    }
    if (!image.ok()) return image.status();
    return Turned(*image, layout_.orientation);  // whose numbers Exif has taken from TIFF
  }

 private:
  // The number of images that ImageJ says the file to hold; 0 if it is not ImageJ's.
  int64_t StackOfImagej() const {
    const char* text = nullptr;
    int64_t images = 0;
    if (!TIFFGetField(tiff_.get(), TIFFTAG_IMAGEDESCRIPTION, &text) || text == nullptr) return 0;
    const absl::string_view description = text;
    if (!absl::StartsWith(description, "ImageJ=")) return 0;
    for (absl::string_view line : absl::StrSplit(description, '\n')) {
      if (absl::ConsumePrefix(&line, "images=") && !absl::SimpleAtoi(line, &images)) return 0;
    }
    return images;
  }

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

  // The first samples of each pixel, at most `most`, as they are stored.
  absl::StatusOr<cv::Mat> ReadSamples(int most) {
    TIFF* tiff = tiff_.get();
    const int used = std::min<int>(layout_.samples, most);
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
          const uint32_t number =
              tiled ? TIFFComputeTile(tiff, x, y, 0, plane) : TIFFComputeStrip(tiff, y, plane);
          const tmsize_t read = IsAbsent(number) ? FillAbsent(part)
                                : tiled
                                    ? TIFFReadEncodedTile(tiff, number, part.data(), part_bytes)
                                    : TIFFReadEncodedStrip(tiff, number, part.data(), part_bytes);
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

  // The value of pixels without data, as GDAL writes it; none if the file states none.
  std::optional<double> Nodata() const {
    constexpr uint32_t kGdalNodata = 42113;  // a text
    uint32_t size = 0;
    const char* text = nullptr;
    if (!TIFFGetField(tiff_.get(), kGdalNodata, &size, &text) || text == nullptr) {
      return std::nullopt;
    }
    const std::string number(text, strnlen(text, size));
    double value;
    return absl::SimpleAtod(absl::StripAsciiWhitespace(number), &value) ? value : 0;
  }

  // Whether a strip or tile is not in the file: GDAL leaves out those without data if asked to.
  bool IsAbsent(uint32_t number) const {
    if (!TIFFIsTiled(tiff_.get()) && !Nodata()) return false;
    int failed = 0;
    return TIFFGetStrileByteCountWithErr(tiff_.get(), number, &failed) == 0 && !failed &&
           TIFFGetStrileOffsetWithErr(tiff_.get(), number, &failed) == 0 && !failed;
  }

  // What GDAL reads there. Returns the number of bytes.
  tmsize_t FillAbsent(std::vector<uint8_t>& part) const {
    std::fill(part.begin(), part.end(), 0);
    const size_t size = CV_ELEM_SIZE1(layout_.depth());
    if (const auto value = Nodata(); value && layout_.bits == 8 * size) {
      cv::Mat(1, static_cast<int>(part.size() / size), layout_.depth(), part.data()).setTo(*value);
    }
    return static_cast<tmsize_t>(part.size());
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
    // Other numbers of bits, up to 15, the first in the highest bits.
    const uint32_t mask = (1u << layout_.bits) - 1;
    size_t bit = 0;
    for (uint32_t x = 0; x < cols; ++x) {
      for (int s = 0; s < stored; ++s, bit += layout_.bits) {
        if (s >= used) continue;
        uint32_t value = 0;  // of the bytes that the sample lies in
        size_t end = 0;
        for (size_t byte = bit / 8; byte * 8 < bit + layout_.bits; ++byte) {
          value = value << 8 | row[byte];
          end = byte * 8 + 8;
        }
        value = value >> (end - bit - layout_.bits) & mask;
        if (layout_.bits <= 8) {
          out[x * step + s] = static_cast<uint8_t>(value);
        } else {
          reinterpret_cast<uint16_t*>(out)[x * step + s] = static_cast<uint16_t>(value);
        }
      }
    }
  }

  template <class Sample>
  static void Copy(const Sample* row, uint32_t cols, int stored, int used, int step, Sample* out) {
    for (uint32_t x = 0; x < cols; ++x, row += stored, out += step) std::copy(row, row + used, out);
  }

  // Samples without a sign scaled to the range of their type, where they have fewer bits, and white
  // made the largest value; all others as CV_32F.
  cv::Mat Scaled(const cv::Mat& samples) const {
    cv::Mat image = samples;
    if (samples.depth() != CV_8U && samples.depth() != CV_16U) {
      samples.convertTo(image, CV_32F);
      if (samples.depth() == CV_32S && layout_.format != SAMPLEFORMAT_INT) {
        // OpenCV has no unsigned type of 32 bits.
        ForEach<float>(image, [&](float* pixel) {
          for (int c = 0; c < image.channels(); ++c) pixel[c] += pixel[c] < 0 ? 0x1p32f : 0;
        });
      }
      return image;
    }
    const bool white_is_0 = layout_.photometric == PHOTOMETRIC_MINISWHITE;
    if (samples.depth() == CV_8U) {
      ScaleEach<uint8_t>(image, white_is_0);
    } else {
      ScaleEach<uint16_t>(image, white_is_0);
    }
    return image;
  }

  template <class Sample>
  void ScaleEach(cv::Mat& image, bool white_is_0) const {
    const uint32_t largest = std::numeric_limits<Sample>::max();
    const uint32_t stored = (1u << layout_.bits) - 1;
    if (stored == largest && !white_is_0) return;
    ForEach<Sample>(image, [&](Sample* pixel) {
      for (int c = 0; c < image.channels(); ++c) {
        const uint32_t value = pixel[c] * largest / stored;
        pixel[c] = static_cast<Sample>(white_is_0 && c == 0 ? largest - value : value);
      }
    });
  }

  // Grey or RGB, and alpha behind them if it is asked for and there is one.
  cv::Mat ToColours(cv::Mat image, bool alpha) const {
    const int colours = layout_.colours();
    if (colours == 4) return FromCmyk(image);
    const int kind = layout_.alpha();
    if (kind == EXTRASAMPLE_ASSOCALPHA && image.depth() == CV_8U) Unpremultiply<uint8_t>(image);
    if (kind == EXTRASAMPLE_ASSOCALPHA && image.depth() == CV_16U) Unpremultiply<uint16_t>(image);
    if (image.channels() == colours || (alpha && kind != EXTRASAMPLE_UNSPECIFIED)) return image;
    cv::Mat opaque(image.size(), CV_MAKETYPE(image.depth(), colours));
    const int channels[] = {0, 0, 1, 1, 2, 2};
    cv::mixChannels(&image, 1, &opaque, 1, channels, colours);
    return opaque;
  }

  template <class Sample>
  static void Unpremultiply(cv::Mat& image) {
    const int colours = image.channels() - 1;
    const uint64_t largest = std::numeric_limits<Sample>::max();
    ForEach<Sample>(image, [=](Sample* pixel) {
      const uint64_t a = pixel[colours];
      for (int c = 0; c < colours; ++c) {
        pixel[c] = static_cast<Sample>(a == 0 ? 0 : std::min(pixel[c] * largest / a, largest));
      }
    });
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
  static cv::Mat FromCmyk(cv::Mat cmyk) {
    if (cmyk.depth() == CV_16U) {
      cv::Mat upper(cmyk.size(), CV_8UC(cmyk.channels()));
      for (int y = 0; y < cmyk.rows; ++y) {
        for (int i = 0; i < cmyk.cols * cmyk.channels(); ++i) {
          upper.ptr(y)[i] = static_cast<uint8_t>(cmyk.ptr<uint16_t>(y)[i] >> 8);
        }
      }
      cmyk = upper;
    }
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

  template <class Sample, class Function>
  static void ForEach(cv::Mat& image, const Function& change) {
    for (int y = 0; y < image.rows; ++y) {
      for (int x = 0; x < image.cols; ++x) change(image.ptr<Sample>(y) + x * image.channels());
    }
  }

  Source source_;
  Handle tiff_;
  Layout layout_;
  int64_t stack_ = 0;  // images, as ImageJ states
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

REGISTER_PLUGIN(Codecs, "tiff", "TIFF files (.tif, .tiff), also of several pages",
                registry::NoOptions, MakeTiff);

}  // namespace
}  // namespace data
