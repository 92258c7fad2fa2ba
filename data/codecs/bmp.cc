// BMP: every header of Windows and OS/2 that Pillow reads, 1 to 32 bits a pixel, run lengths.
// OpenCV's reader would bring its image library's 140 shared libraries into the process, so this is
// our own.
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

constexpr size_t kFileHeader = 14;

enum Compression : uint32_t { kRaw = 0, kRle8 = 1, kRle4 = 2, kBitfields = 3 };

// The number of `size` bytes at `at`, the lowest byte first. The caller has checked the size.
uint32_t Number(absl::string_view bytes, size_t at, int size) {
  uint32_t value = 0;
  for (int i = size; i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

// One channel of a pixel's number.
struct Channel {
  uint32_t mask = 0;

  uint8_t Of(uint32_t pixel) const {
    if (mask == 0) return 0;
    const int shift = __builtin_ctz(mask);
    const uint32_t largest = mask >> shift;
    if (largest == 255) return static_cast<uint8_t>(pixel >> shift);
    return static_cast<uint8_t>(uint64_t{255} * ((pixel & mask) >> shift) / largest);
  }
};

class BmpImage : public EncodedImage {
 public:
  explicit BmpImage(absl::string_view bytes) : bytes_(bytes) {}

  absl::Status ReadHeader() {
    if (bytes_.size() < kFileHeader + 4) return Cut();
    const uint32_t size = Number(bytes_, kFileHeader, 4);
    pixels_ = Number(bytes_, 10, 4);
    if (size != 12 && size != 40 && size != 52 && size != 56 && size != 64 && size != 108 &&
        size != 124) {
      return Damaged(absl::StrCat("a BMP header of ", size, " bytes is not known"));
    }
    size_t end = kFileHeader + size;
    if (bytes_.size() < end) return Cut();
    const absl::string_view header = bytes_.substr(kFileHeader, size);
    uint32_t colours = 0;
    if (size == 12) {  // OS/2
      cols_ = Number(header, 4, 2);
      rows_ = Number(header, 6, 2);
      bits_ = Number(header, 10, 2);
    } else {
      cols_ = Number(header, 4, 4);
      rows_ = Number(header, 8, 4);
      top_down_ = static_cast<uint8_t>(header[11]) == 0xFF;
      if (top_down_) rows_ = (int64_t{1} << 32) - rows_;
      bits_ = Number(header, 14, 2);
      compression_ = Number(header, 16, 4);
      colours = Number(header, 32, 4);
    }
    if (bits_ != 1 && bits_ != 4 && bits_ != 8 && bits_ != 16 && bits_ != 24 && bits_ != 32) {
      return Damaged(absl::StrCat(bits_, " bits a pixel are not known"));
    }
    const bool runs = compression_ == kRle8 || compression_ == kRle4;
    if (compression_ > kBitfields || (runs && bits_ > 8) ||
        (compression_ == kBitfields && bits_ <= 8)) {
      return Damaged(
          absl::StrCat("a compression of ", compression_, " with ", bits_, " bits is not known"));
    }
    if (colours == 0) colours = bits_ <= 8 ? 1u << bits_ : 0;
    return bits_ <= 8 ? ReadPalette(end, size == 12 ? 3 : 4, colours) : ReadMasks(header, end);
  }

  int64_t rows() const override { return rows_; }
  int64_t cols() const override { return cols_; }
  StoredPixels stored() const override {
    if (bits_ <= 8) return {"palette", static_cast<int>(bits_)};
    return {channels_[3].mask != 0 ? "RGB and alpha" : "RGB"};
  }

  absl::StatusOr<cv::Mat> Decode(int channels) override {
    const bool alpha = channels % 2 == 0 && channels_[3].mask != 0;
    std::vector<uint8_t> indices;
    const int64_t row_bytes = (cols_ * bits_ + 7) / 8;
    int64_t stride = (cols_ * bits_ + 31) / 32 * 4;
    absl::string_view pixels = bytes_.substr(std::min(pixels_, bytes_.size()));
    int bits = bits_;
    if (compression_ == kRle8 || compression_ == kRle4) {
      indices = Unpack();
      if (static_cast<int64_t>(indices.size()) < rows_ * cols_) return Cut();
      pixels = absl::string_view(reinterpret_cast<const char*>(indices.data()), indices.size());
      stride = cols_;
      bits = 8;
    } else if (static_cast<int64_t>(pixels.size()) < (rows_ - 1) * stride + row_bytes) {
      return Cut();
    }
    cv::Mat image(static_cast<int>(rows_), static_cast<int>(cols_), alpha ? CV_8UC4 : CV_8UC3);
    for (int64_t y = 0; y < rows_; ++y) {
      const auto* in = reinterpret_cast<const uint8_t*>(pixels.data()) + y * stride;
      uint8_t* out = image.ptr(static_cast<int>(top_down_ ? y : rows_ - 1 - y));
      for (int64_t x = 0; x < cols_; ++x, out += image.channels()) {
        if (bits <= 8) {
          const int index = in[x * bits / 8] >> (8 - bits - x * bits % 8) & ((1 << bits) - 1);
          std::copy_n(palette_[index], 3, out);
        } else {
          const uint8_t* at = in + x * bits / 8;
          uint32_t pixel = 0;
          for (int i = bits / 8; i-- > 0;) pixel = pixel << 8 | at[i];
          for (int c = 0; c < image.channels(); ++c) out[c] = channels_[c].Of(pixel);
        }
      }
    }
    return image;
  }

 private:
  static absl::Status Cut() { return Damaged("it ends before its pixels"); }

  // `end` is where the header ends, `size` the bytes of a colour.
  absl::Status ReadPalette(size_t end, size_t size, uint32_t colours) {
    if (colours > 65536)
      return Damaged(absl::StrCat("a palette of ", colours, " colours is not known"));
    if (bytes_.size() < end + size * colours) return Cut();
    // Some writers leave the palette out of the place of the pixels.
    if (pixels_ == end || pixels_ == 0) pixels_ = end + size * colours;
    for (uint32_t i = 0; i < std::min(colours, 256u); ++i) {
      for (int c = 0; c < 3; ++c) palette_[i][c] = bytes_[end + size * i + 2 - c];
    }
    return absl::OkStatus();
  }

  absl::Status ReadMasks(absl::string_view header, size_t end) {
    const bool bitfields = compression_ == kBitfields;
    if (bitfields && header.size() >= 52) {
      for (int c = 0; c < (header.size() >= 56 && bits_ == 32 ? 4 : 3); ++c) {
        channels_[c].mask = Number(header, 40 + 4 * c, 4);
      }
    } else if (bitfields) {  // behind the header
      if (bytes_.size() < end + 12) return Cut();
      for (int c = 0; c < 3; ++c) channels_[c].mask = Number(bytes_, end + 4 * c, 4);
      end += 12;
    }
    if (pixels_ == 0) pixels_ = end;
    if (!bitfields) {
      const uint32_t red = bits_ == 16 ? 0x7C00 : 0xFF0000;
      for (int c = 0; c < 3; ++c) channels_[c].mask = red >> c * (bits_ == 16 ? 5 : 8);
      return absl::OkStatus();
    }
    uint32_t all = 0;
    for (Channel& channel : channels_) {
      const uint32_t low = channel.mask & -channel.mask;
      if (channel.mask & all || (channel.mask & (channel.mask + low)) != 0) {
        return Damaged("its masks overlap or have gaps");
      }
      all |= channel.mask;
    }
    if (all == 0 && bits_ == 32) {
      for (int c = 0; c < 4; ++c) channels_[c].mask = c < 3 ? 0xFF0000u >> 8 * c : 0xFF000000u;
    } else if (channels_[0].mask == 0 || channels_[1].mask == 0 || channels_[2].mask == 0) {
      return Damaged("a colour has no mask");
    }
    return absl::OkStatus();
  }

  // The indices of run lengths in the order of the file, as Pillow reads them; fewer than there are
  // pixels if the file ends before them. Grows with what is read, so that a small file does not ask
  // for much memory.
  std::vector<uint8_t> Unpack() const {
    const bool nibbles = compression_ == kRle4;
    const auto total = static_cast<size_t>(rows_ * cols_), cols = static_cast<size_t>(cols_);
    std::vector<uint8_t> indices;
    const auto fill = [&](size_t size) {
      indices.resize(std::min(total, indices.size() + size), 0);
    };
    size_t x = 0;
    size_t at = pixels_;
    const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes_[i]); };
    while (indices.size() < total && at + 2 <= bytes_.size()) {
      const size_t count = byte(at);
      const uint8_t value = byte(at + 1);
      at += 2;
      if (count > 0) {  // a run, within the row
        const size_t size = std::min(count, x < cols ? cols - x : 0);
        for (size_t i = 0; i < size; ++i) {
          indices.push_back(!nibbles ? value : i % 2 == 0 ? value >> 4 : value & 15);
        }
        x += size;
      } else if (value == 0) {  // the row ends
        if (indices.size() % cols != 0) fill(cols - indices.size() % cols);
        x = 0;
      } else if (value == 1) {  // the image ends
        break;
      } else if (value == 2) {  // a step to the right and up
        if (at + 2 > bytes_.size()) break;
        fill(byte(at) + byte(at + 1) * cols);
        at += 2;
        x = indices.size() % cols;
      } else {  // values one by one
        const size_t size = std::min<size_t>(total - indices.size(), value);
        const size_t stored = nibbles ? (size + 1) / 2 : size;
        const size_t got = std::min(stored, bytes_.size() - at);
        for (size_t i = 0; i < (nibbles ? std::min(size, 2 * got) : got); ++i) {
          const uint8_t v = byte(at + (nibbles ? i / 2 : i));
          indices.push_back(!nibbles ? v : i % 2 == 0 ? v >> 4 : v & 15);
        }
        if (got < stored) break;
        at += stored;
        at += at % 2;
        x += value;
      }
    }
    return indices;
  }

  const absl::string_view bytes_;
  int64_t rows_ = 0, cols_ = 0;
  int bits_ = 0;
  uint32_t compression_ = kRaw;
  bool top_down_ = false;
  size_t pixels_ = 0;             // where they begin
  uint8_t palette_[256][3] = {};  // of up to 8 bits; indices beyond the file's are black
  Channel channels_[4] = {};      // of 16 and 32 bits
};

class Bmp : public Codec {
 public:
  bool Recognises(absl::string_view bytes) const override {
    return bytes.size() > 2 && absl::StartsWith(bytes, "BM");
  }

  std::vector<std::string> Endings() const override { return {".bmp"}; }

  absl::StatusOr<std::unique_ptr<EncodedImage>> Open(absl::string_view bytes) const override {
    auto image = std::make_unique<BmpImage>(bytes);
    if (absl::Status s = image->ReadHeader(); !s.ok()) return s;
    return image;
  }
};

absl::StatusOr<std::unique_ptr<Codec>> MakeBmp(const registry::NoOptions&) {
  return std::make_unique<Bmp>();
}

REGISTER_PLUGIN(Codecs, "bmp", "BMP files (.bmp)", registry::NoOptions, MakeBmp);

}  // namespace
}  // namespace data
