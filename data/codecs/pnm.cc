// The netpbm formats PBM, PGM and PPM, as text and binary, with 1 to 16 bits a sample. Values are
// scaled to 8 bits as Pillow scales them, except that 16-bit grey is scaled, too.
#include <cmath>
#include <cstdint>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "data/codec.h"

namespace data {
namespace {

constexpr size_t kMaxDigits = 10;

bool IsSpace(char c) { return absl::ascii_isspace(static_cast<unsigned char>(c)); }

// Reads the numbers of a text from its front.
class Text {
 public:
  explicit Text(absl::string_view bytes) : rest_(bytes) {}

  absl::string_view rest() const { return rest_; }

  // The next number, and the white space behind it; -1 if there is none, or it is too long.
  int64_t Number() {
    int64_t value = 0;
    for (size_t digits = 0; digits <= kMaxDigits;) {
      const int c = NextSignificant();
      if (c < 0 || IsSpace(static_cast<char>(c))) {
        if (digits > 0) return value;
        if (c < 0) return -1;
        continue;
      }
      if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return -1;
      value = 10 * value + (c - '0');
      ++digits;
    }
    return -1;
  }

  // The next digit of a bitmap, 0 or 1; -1 if there is none.
  int Bit() {
    for (;;) {
      const int c = NextSignificant();
      if (c == '0' || c == '1') return c - '0';
      if (c < 0 || !IsSpace(static_cast<char>(c))) return -1;
    }
  }

 private:
  // The next character that is not in a comment; -1 at the end.
  int NextSignificant() {
    for (bool comment = false; !rest_.empty();) {
      const char c = rest_[0];
      rest_.remove_prefix(1);
      if (comment) {
        comment = c != '\n' && c != '\r';
      } else if (c == '#') {
        comment = true;
      } else {
        return static_cast<unsigned char>(c);
      }
    }
    return -1;
  }

  absl::string_view rest_;
};

class PnmImage : public EncodedImage {
 public:
  PnmImage(char kind, int64_t rows, int64_t cols, int64_t maximum, absl::string_view pixels)
      : kind_(kind), rows_(rows), cols_(cols), maximum_(maximum), pixels_(pixels) {}

  int64_t rows() const override { return rows_; }
  int64_t cols() const override { return cols_; }
  StoredPixels stored() const override {
    if (kind_ == '1' || kind_ == '4') return {"grey", 1};
    return {kind_ == '3' || kind_ == '6' ? "RGB" : "grey", maximum_ > 255 ? 16 : 8};
  }

  absl::StatusOr<cv::Mat> Decode(int channels) override {
    const bool text = kind_ < '4', bitmap = kind_ == '1' || kind_ == '4';
    const int planes = kind_ == '3' || kind_ == '6' ? 3 : 1;
    const int64_t row_bytes = bitmap ? (cols_ + 7) / 8 : cols_ * planes * (maximum_ > 255 ? 2 : 1);
    // Of text, what the shortest numbers would need.
    const int64_t needed = !text    ? rows_ * row_bytes
                           : bitmap ? rows_ * cols_
                                    : 2 * rows_ * cols_ * planes - 1;
    if (static_cast<int64_t>(pixels_.size()) < needed) return Damaged("it ends before its pixels");
    cv::Mat image(static_cast<int>(rows_), static_cast<int>(cols_), CV_8UC(planes));
    const std::vector<uint8_t> scaled = Scaled(planes);
    Text numbers(pixels_);
    for (int y = 0; y < rows_; ++y) {
      uint8_t* out = image.ptr(y);
      const auto* in =
          reinterpret_cast<const uint8_t*>(pixels_.data()) + (text ? 0 : y * row_bytes);
      for (int i = 0; i < cols_ * planes; ++i) {
        int64_t value;
        if (bitmap) {
          value = text ? numbers.Bit() : in[i / 8] >> (7 - i % 8) & 1;
        } else if (text) {
          value = numbers.Number();
          if (value > maximum_)
            return Damaged(absl::StrCat("a value of ", value, " is above ", maximum_));
        } else {
          value = maximum_ > 255 ? in[2 * i] << 8 | in[2 * i + 1] : in[i];
          value = std::min(value, maximum_);
        }
        if (value < 0) return Damaged("it ends before its pixels, or is no text of numbers");
        out[i] = bitmap ? (value == 0 ? 255 : 0) : scaled[value];
      }
    }
    return image;
  }

 private:
  // What each value becomes.
  std::vector<uint8_t> Scaled(int planes) const {
    std::vector<uint8_t> scaled(maximum_ + 1);
    for (int64_t v = 0; v <= maximum_; ++v) {
      const double part = static_cast<double>(v) / static_cast<double>(maximum_);
      // Grey goes by way of 16 bits, as in 16-bit PNG.
      scaled[v] = maximum_ > 255 && planes == 1
                      ? (static_cast<uint32_t>(std::nearbyint(part * 65535)) * 255 + 32895) >> 16
                      : static_cast<uint8_t>(std::nearbyint(part * 255));
    }
    return scaled;
  }

  const char kind_;  // '1' to '6': bitmap, grey, colour, as text and binary
  const int64_t rows_, cols_, maximum_;
  const absl::string_view pixels_;
};

class Pnm : public Codec {
 public:
  bool Recognises(absl::string_view bytes) const override {
    return bytes.size() > 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6' &&
           IsSpace(bytes[2]);
  }

  std::vector<std::string> Endings() const override { return {".pbm", ".pgm", ".pnm", ".ppm"}; }

  absl::StatusOr<std::unique_ptr<EncodedImage>> Open(absl::string_view bytes) const override {
    const char kind = bytes[1];
    Text header(bytes.substr(3));
    const int64_t cols = header.Number(), rows = header.Number();
    const int64_t maximum = kind == '1' || kind == '4' ? 1 : header.Number();
    if (cols < 0 || rows < 0 || maximum < 1 || maximum > 65535) {
      return Damaged("its header is not that of a PBM, PGM or PPM file");
    }
    return std::make_unique<PnmImage>(kind, rows, cols, maximum, header.rest());
  }
};

absl::StatusOr<std::unique_ptr<Codec>> MakePnm(const registry::NoOptions&) {
  return std::make_unique<Pnm>();
}

REGISTER_PLUGIN(Codecs, "pnm", "PBM, PGM and PPM files (.pbm, .pgm, .pnm, .ppm), text or binary",
                registry::NoOptions, MakePnm);

}  // namespace
}  // namespace data
