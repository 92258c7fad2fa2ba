// GIF, by giflib: the first frame on its canvas, as Pillow shows it.
#include <gif_lib.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "data/codec.h"

namespace data {
namespace {

struct Closer {
  void operator()(GifFileType* gif) const { DGifCloseFile(gif, nullptr); }
};

absl::Status Error(int code) {
  if (code == D_GIF_ERR_NOT_ENOUGH_MEM) {
    return OutOfMemory();
  }
  const char* why = GifErrorString(code);
  return Damaged(why != nullptr ? why : "invalid GIF data");
}

class GifImage : public EncodedImage {
 public:
  explicit GifImage(absl::string_view bytes) : bytes_(bytes) {}

  // Everything before the pixels of the first frame.
  absl::Status ReadHeader() {
    int code = 0;
    gif_.reset(DGifOpen(this, Read, &code));
    if (!gif_) return Error(code);
    for (;;) {
      GifRecordType type;
      if (DGifGetRecordType(gif_.get(), &type) != GIF_OK) return Error(gif_->Error);
      if (type == IMAGE_DESC_RECORD_TYPE) break;
      if (type == TERMINATE_RECORD_TYPE) return Damaged("it has no image");
      if (type != EXTENSION_RECORD_TYPE) continue;
      if (absl::Status s = ReadExtension(); !s.ok()) return s;
    }
    if (DGifGetImageDesc(gif_.get()) != GIF_OK) return Error(gif_->Error);
    return absl::OkStatus();
  }

  // The canvas grows with a frame that goes beyond it.
  int64_t rows() const override {
    return std::max<int64_t>(gif_->SHeight, int64_t{gif_->Image.Top} + gif_->Image.Height);
  }
  int64_t cols() const override {
    return std::max<int64_t>(gif_->SWidth, int64_t{gif_->Image.Left} + gif_->Image.Width);
  }
  StoredPixels stored() const override { return {"palette"}; }

  absl::StatusOr<cv::Mat> Decode(int channels) override {
    const GifImageDesc& frame = gif_->Image;
    if (frame.Width <= 0 || frame.Height <= 0) return Damaged("its frame has no pixels");
    cv::Mat indices(static_cast<int>(rows()), static_cast<int>(cols()), CV_8UC1,
                    cv::Scalar(std::max(transparent_, 0)));
    // Interlaced: every eighth row, those in the middle of these, and so on.
    constexpr int kBegins[] = {0, 4, 2, 1}, kSteps[] = {8, 8, 4, 2};
    for (int pass = 0; pass < (frame.Interlace ? 4 : 1); ++pass) {
      const int step = frame.Interlace ? kSteps[pass] : 1;
      for (int y = frame.Interlace ? kBegins[pass] : 0; y < frame.Height; y += step) {
        if (DGifGetLine(gif_.get(), indices.ptr(frame.Top + y, frame.Left), frame.Width) !=
            GIF_OK) {
          return Error(gif_->Error);
        }
      }
    }
    return Coloured(indices, /*alpha=*/channels % 2 == 0 && transparent_ >= 0);
  }

 private:
  absl::Status ReadExtension() {
    int kind = 0;
    GifByteType* block = nullptr;  // its size, and its bytes
    if (DGifGetExtension(gif_.get(), &kind, &block) != GIF_OK) return Error(gif_->Error);
    if (kind == GRAPHICS_EXT_FUNC_CODE && block != nullptr && block[0] >= 4 && block[1] & 1) {
      transparent_ = block[4];
    }
    while (block != nullptr) {
      if (DGifGetExtensionNext(gif_.get(), &block) != GIF_OK) return Error(gif_->Error);
    }
    return absl::OkStatus();
  }

  cv::Mat Coloured(const cv::Mat& indices, bool alpha) const {
    const ColorMapObject* map = gif_->Image.ColorMap ? gif_->Image.ColorMap : gif_->SColorMap;
    // Without a palette, indices are grey; those beyond a palette are black, as in Pillow.
    uint8_t palette[256][4];
    for (int i = 0; i < 256; ++i) {
      std::fill_n(palette[i], 3, static_cast<uint8_t>(map == nullptr ? i : 0));
      palette[i][3] = i == transparent_ ? 0 : 255;
    }
    for (int i = 0; map != nullptr && i < std::min(map->ColorCount, 256); ++i) {
      palette[i][0] = map->Colors[i].Red;
      palette[i][1] = map->Colors[i].Green;
      palette[i][2] = map->Colors[i].Blue;
    }
    cv::Mat image(indices.size(), alpha ? CV_8UC4 : CV_8UC3);
    for (int y = 0; y < image.rows; ++y) {
      uint8_t* out = image.ptr(y);
      for (int x = 0; x < image.cols; ++x, out += image.channels()) {
        std::copy_n(palette[indices.ptr(y)[x]], image.channels(), out);
      }
    }
    return image;
  }

  static int Read(GifFileType* gif, GifByteType* out, int size) {
    absl::string_view& bytes = static_cast<GifImage*>(gif->UserData)->bytes_;
    const int got = static_cast<int>(std::min<size_t>(size, bytes.size()));
    std::memcpy(out, bytes.data(), got);
    bytes.remove_prefix(got);
    return got;
  }

  absl::string_view bytes_;  // not yet read
  std::unique_ptr<GifFileType, Closer> gif_;
  int transparent_ = -1;  // an index; -1: none
};

class Gif : public Codec {
 public:
  bool Recognises(absl::string_view bytes) const override {
    return absl::StartsWith(bytes, "GIF87a") || absl::StartsWith(bytes, "GIF89a");
  }

  std::vector<std::string> Endings() const override { return {".gif"}; }

  absl::StatusOr<std::unique_ptr<EncodedImage>> Open(absl::string_view bytes) const override {
    auto image = std::make_unique<GifImage>(bytes);
    if (absl::Status s = image->ReadHeader(); !s.ok()) return s;
    return image;
  }
};

absl::StatusOr<std::unique_ptr<Codec>> MakeGif(const registry::NoOptions&) {
  return std::make_unique<Gif>();
}

REGISTER_PLUGIN(Codecs, "gif", "GIF files (.gif); of an animation the first frame",
                registry::NoOptions, MakeGif);

}  // namespace
}  // namespace data
