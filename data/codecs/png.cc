// PNG: by libpng, and the pixels of ordinary files by png_pixels.h.
#include <png.h>
#include <zlib.h>

#include <algorithm>
#include <csetjmp>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "base/hex.h"
#include "data/codec.h"
#include "data/codecs/png_pixels.h"
#include "data/orientation.h"

namespace data {
namespace {

constexpr png_uint_32 kPixelsChunk = 0x49444154;  // IDAT
constexpr size_t kHead = 8;                       // of a chunk: its length and its type
constexpr absl::string_view kZero("\0", 1);

// Bytes of metadata, unpacked, in which an orientation is looked for.
constexpr size_t kMaxText = 1 << 20;

// The bytes of a profile as ImageMagick writes it: an empty line, a name, a size, and the bytes in
// hexadecimal.
std::string OfProfile(absl::string_view profile) {
  for (int line = 0; line < 3; ++line) {
    const size_t end = profile.find('\n');
    if (end == profile.npos) return "";
    profile.remove_prefix(end + 1);
  }
  std::string digits;
  absl::c_copy_if(profile, std::back_inserter(digits),
                  [](char c) { return absl::ascii_isxdigit(c); });
  if (digits.size() % 2 != 0) digits.pop_back();
  return base::BytesOfHex(digits).value_or("");
}

// The colours of indices into a palette. Indices behind its end are black, as for libpng.
cv::Mat Colours(const cv::Mat& indices, const png_color* palette, int size) {
  uint32_t colours[256] = {};
  for (int i = 0; i < size; ++i) std::memcpy(&colours[i], &palette[i], sizeof(png_color));
  cv::Mat out(indices.rows, indices.cols, CV_8UC3);
  const uint8_t* from = indices.data;
  uint8_t* to = out.data;
  // Copying four bytes is faster than three; the next pixel overwrites the fourth.
  for (size_t i = 0; i + 1 < indices.total(); ++i, ++from, to += 3) {
    std::memcpy(to, &colours[*from], 4);
  }
  std::memcpy(to, &colours[*from], 3);
  return out;
}

// libpng reports errors by longjmp, so everything that has a destructor lives here, outside of the
// functions that are jumped out of.
class PngImage : public EncodedImage {
 public:
  explicit PngImage(absl::string_view bytes) : file_(bytes), bytes_(bytes) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, Fail, Ignore);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
  }
  ~PngImage() override { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngImage(const PngImage&) = delete;
  PngImage& operator=(const PngImage&) = delete;

  // Before everything else.
  absl::Status ReadHeader() {
    if (info_ == nullptr) return OutOfMemory();
    return ParseHeader() ? absl::OkStatus() : Error();
  }

  int64_t rows() const override { return png_get_image_height(png_, info_); }
  int64_t cols() const override { return png_get_image_width(png_, info_); }
  StoredPixels stored() const override {
    const int colour = png_get_color_type(png_, info_);
    return {colour == PNG_COLOR_TYPE_GRAY         ? "grey"
            : colour == PNG_COLOR_TYPE_GRAY_ALPHA ? "grey and alpha"
            : colour == PNG_COLOR_TYPE_RGB        ? "RGB"
            : colour == PNG_COLOR_TYPE_RGB_ALPHA  ? "RGB and alpha"
                                                  : "palette",
            png_get_bit_depth(png_, info_)};
  }

  absl::StatusOr<cv::Mat> Decode(int channels) override {
    if (IsOrdinary(channels)) {
      cv::Mat pixels(static_cast<int>(rows()), static_cast<int>(cols()),
                     CV_8UC(png_get_channels(png_, info_)));
      // libpng has read the head of the first IDAT chunk.
      const size_t begin = file_.size() - bytes_.size() - kHead;
      if (ReadPngPixels(file_.substr(begin), pixels)) return Coloured(pixels);
    }
    if (!ChooseLayout(channels)) return Error();
    image_.create(static_cast<int>(rows()), static_cast<int>(cols()),
                  CV_MAKETYPE(png_get_bit_depth(png_, info_) == 16 ? CV_16U : CV_8U,
                              png_get_channels(png_, info_)));
    row_pointers_.resize(rows());
    for (int y = 0; y < image_.rows; ++y) row_pointers_[y] = image_.ptr(y);
    if (!ReadPixels() && !is_behind_pixels_) return Error();
    return image_;
  }

  // As Pillow, which takes the last of what it finds, wherever it stands.
  int orientation() const override {
    std::string exif, profile, xmp;
    absl::string_view rest = file_.substr(std::min<size_t>(file_.size(), 8));
    while (rest.size() >= 12) {
      const auto* length = reinterpret_cast<const uint8_t*>(rest.data());
      const size_t size = png_get_uint_32(length);
      const absl::string_view type = rest.substr(4, 4), contents = rest.substr(8, size);
      if (size > rest.size() - 12 || type == "IEND") break;
      if (type == "eXIf") exif = std::string(contents);
      if (type == "tEXt" || type == "zTXt" || type == "iTXt") {
        for (const auto& [key, found] :
             {std::pair("Raw profile type exif", &profile), std::pair("XML:com.adobe.xmp", &xmp)}) {
          if (std::string text = Text(type, contents, key); !text.empty()) *found = text;
        }
      }
      rest.remove_prefix(12 + size);
    }
    if (exif.empty()) exif = OfProfile(profile);
    auto orientation = OrientationOfExif(exif);
    if (!orientation) orientation = OrientationOfXmp(xmp);
    return orientation.value_or(1);
  }

 private:
  bool ParseHeader() {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_set_read_fn(png_, this, Read);
    // Text, profiles and the like are not even unpacked: a small file could ask for gigabytes.
    // (The pixels need none of them.)
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    png_read_info(png_, info_);
    return true;
  }

  // Whether ReadPngPixels may try: what it reads needs no conversion by libpng to be `channels`.
  bool IsOrdinary(int channels) const {
    return png_get_bit_depth(png_, info_) == 8 &&
           png_get_interlace_type(png_, info_) == PNG_INTERLACE_NONE &&
           (channels == 3 || png_get_valid(png_, info_, PNG_INFO_tRNS) == 0);
  }

  // `pixels` as stored, or the colours that they are in the palette.
  cv::Mat Coloured(const cv::Mat& pixels) const {
    png_colorp palette = nullptr;
    int size = 0;
    if (png_get_color_type(png_, info_) != PNG_COLOR_TYPE_PALETTE ||
        png_get_PLTE(png_, info_, &palette, &size) == 0) {
      return pixels;
    }
    return Colours(pixels, palette, size);
  }

  // libpng converts to three channels; for other numbers it gives what the file holds.
  bool ChooseLayout(int channels) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    if (png_get_bit_depth(png_, info_) == 16) png_set_swap(png_);  // to the machine's order
    png_set_expand(png_);  // palettes to colours, few bits to 8, transparent colours to alpha
    if (channels == 3) {
      png_set_gray_to_rgb(png_);
      png_set_strip_alpha(png_);
    }
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }

  bool ReadPixels() {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    if (png_get_rowbytes(png_, info_) != image_.elemSize() * image_.cols) {
      png_error(png_, "unexpected layout");
    }
    png_read_image(png_, row_pointers_.data());
    png_read_end(png_, nullptr);  // compares checksums
    return true;
  }

  // The text of the metadata under `key` in the contents of a tEXt, zTXt or iTXt chunk; empty if
  // they have another key.
  static std::string Text(absl::string_view type, absl::string_view contents,
                          absl::string_view key) {
    if (!absl::ConsumePrefix(&contents, key) || !absl::ConsumePrefix(&contents, kZero)) return "";
    bool packed = type == "zTXt";
    if (type == "iTXt") {  // is it packed, how, language, translated key
      packed = !absl::StartsWith(contents, kZero);
      for (int field = 0; field < 2; ++field) {
        const size_t end = contents.find('\0', field == 0 ? 2 : 0);
        if (end == contents.npos) return "";
        contents.remove_prefix(end + 1);
      }
    } else if (packed) {
      contents.remove_prefix(std::min<size_t>(contents.size(), 1));  // how
    }
    if (!packed) return std::string(contents);
    std::string text(kMaxText, '\0');
    uLongf size = text.size();
    const int error = uncompress(reinterpret_cast<Bytef*>(text.data()), &size,
                                 reinterpret_cast<const Bytef*>(contents.data()), contents.size());
    text.resize(error == Z_OK ? size : 0);
    return text;
  }

  bool AllRowsAreRead() const {
    constexpr int kPasses = 7;  // of interlaced files
    return png_get_interlace_type(png_, info_) != PNG_INTERLACE_NONE
               ? png_get_current_pass_number(png_) >= kPasses
               : png_get_current_row_number(png_) >= png_get_image_height(png_, info_);
  }

  absl::Status Error() const {
    // What libpng says when its allocation fails; a file that asks for too much has other messages.
    return std::strcmp(error_, "Out of memory") == 0 ? OutOfMemory() : Damaged(error_);
  }

  static void Read(png_structp png, png_bytep out, size_t size) {
    auto* self = static_cast<PngImage*>(png_get_io_ptr(png));
    if (size > self->bytes_.size()) {
      self->ran_out_ = true;
      png_error(png, "premature end of PNG file");
    }
    std::memcpy(out, self->bytes_.data(), size);
    self->bytes_.remove_prefix(size);
  }

  static void Fail(png_structp png, png_const_charp message) {
    auto* self = static_cast<PngImage*>(png_get_error_ptr(png));
    std::strncpy(self->error_, message, sizeof(self->error_) - 1);
    // A missing end, or what stands in the place of it.
    self->is_behind_pixels_ =
        self->AllRowsAreRead() && (self->ran_out_ || png_get_io_chunk_type(png) != kPixelsChunk);
    png_longjmp(png, 1);
  }

  // Warnings are about what is beside the pixels.
  static void Ignore(png_structp, png_const_charp) {}

  const absl::string_view file_;
  absl::string_view bytes_;  // not yet read
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  cv::Mat image_;
  std::vector<png_bytep> row_pointers_;
  bool ran_out_ = false, is_behind_pixels_ = false;
  char error_[128] = {};
};

class Png : public Codec {
 public:
  bool Recognises(absl::string_view bytes) const override {
    return absl::StartsWith(bytes, "\x89PNG\r\n\x1A\n");
  }

  std::vector<std::string> Endings() const override { return {".png"}; }

  absl::StatusOr<std::unique_ptr<EncodedImage>> Open(absl::string_view bytes) const override {
    auto image = std::make_unique<PngImage>(bytes);
    if (absl::Status s = image->ReadHeader(); !s.ok()) return s;
    return image;
  }
};

absl::StatusOr<std::unique_ptr<Codec>> MakePng(const registry::NoOptions&) {
  return std::make_unique<Png>();
}

REGISTER_PLUGIN(Codecs, "png", "PNG files (.png)", registry::NoOptions, MakePng);

}  // namespace
}  // namespace data
