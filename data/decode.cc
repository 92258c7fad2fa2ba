#include "data/decode.h"

#include <png.h>
#include <turbojpeg.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"

namespace data {
namespace {

absl::Status Damaged(absl::string_view why) {
  return absl::DataLossError(absl::StrCat("is cut or damaged: ", why));
}

absl::Status CheckSize(int64_t width, int64_t height) {
  if (width <= 0 || height <= 0) return Damaged("it has no pixels");
  if (width * height <= kMaxPixels) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("is ", width, " x ", height, " pixels, more than ",
                                          kMaxPixels / 1'000'000, " million; make it smaller"));
}

// ---- JPEG ---------------------------------------------------------------------------------------

struct FreeHandle {
  void operator()(void* handle) const { tjDestroy(handle); }
};

// One decoder for each thread. After an error it is thrown away: some damaged headers leave it in a
// state in which it refuses good images.
thread_local std::unique_ptr<void, FreeHandle> jpeg_decoder;

absl::Status JpegError() {
  const absl::Status status = Damaged(tjGetErrorStr2(jpeg_decoder.get()));
  jpeg_decoder.reset();
  return status;
}

// Whether the last warning is only about bytes between the last pixel and the end marker.
bool PixelsAreWhole() {
  return tjGetErrorCode(jpeg_decoder.get()) == TJERR_WARNING &&
         absl::StrContains(tjGetErrorStr2(jpeg_decoder.get()),
                           "extraneous bytes before marker 0xd9");
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

absl::StatusOr<cv::Mat> DecodeJpeg(absl::string_view bytes, int channels) {
  if (!jpeg_decoder) jpeg_decoder.reset(tjInitDecompress());
  const auto* in = reinterpret_cast<const unsigned char*>(bytes.data());
  int width = -1, height = -1, subsampling = -1, colorspace = -1;
  if (tjDecompressHeader3(jpeg_decoder.get(), in, bytes.size(), &width, &height, &subsampling,
                          &colorspace) != 0 &&
      // A subsampling without a name in TurboJPEG is an error here, but not where it is decoded.
      (width < 1 || height < 1 || colorspace < 0)) {
    return JpegError();
  }
  if (absl::Status s = CheckSize(width, height); !s.ok()) return s;
  const bool cmyk = colorspace == TJCS_CMYK || colorspace == TJCS_YCCK;
  const bool grey = colorspace == TJCS_GRAY && channels < 3;
  cv::Mat image(height, width, cmyk ? CV_8UC4 : grey ? CV_8UC1 : CV_8UC3);
  if (tjDecompress2(jpeg_decoder.get(), in, bytes.size(), image.data, width,
                    static_cast<int>(image.step), height,
                    cmyk   ? TJPF_CMYK
                    : grey ? TJPF_GRAY
                           : TJPF_RGB,
                    TJFLAG_LIMITSCANS) != 0 &&
      !PixelsAreWhole()) {
    return JpegError();
  }
  return ToChannels(cmyk ? RgbOfCmyk(image) : image, channels);
}

// ---- PNG ----------------------------------------------------------------------------------------

// libpng reports errors by longjmp, so everything that has a destructor lives here, outside of the
// function that is jumped out of.
class PngDecoder {
 public:
  PngDecoder(absl::string_view bytes, int channels) : bytes_(bytes), channels_(channels) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, Fail, Ignore);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
  }
  ~PngDecoder() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngDecoder(const PngDecoder&) = delete;
  PngDecoder& operator=(const PngDecoder&) = delete;

  absl::StatusOr<cv::Mat> Decode() {
    if (info_ == nullptr) return absl::ResourceExhaustedError("cannot be decoded: out of memory");
    if (!ReadHeader()) return Damaged(error_);
    const int64_t width = png_get_image_width(png_, info_);
    const int64_t height = png_get_image_height(png_, info_);
    if (absl::Status s = CheckSize(width, height); !s.ok()) return s;
    if (!ChooseLayout()) return Damaged(error_);
    const int channels = png_get_channels(png_, info_);
    image_.create(static_cast<int>(height), static_cast<int>(width), CV_8UC(channels));
    rows_.resize(height);
    for (int64_t y = 0; y < height; ++y) rows_[y] = image_.ptr(static_cast<int>(y));
    if (!ReadPixels()) return Damaged(error_);
    return ToChannels(image_, channels_);
  }

 private:
  bool ReadHeader() {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_set_read_fn(png_, this, Read);
    // Text, profiles and the like are not even unpacked: a small file could ask for gigabytes.
    // (What pixels need is not among them.)
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    png_read_info(png_, info_);
    return true;
  }

  // Three channels are the library's work, others are made of what the file holds.
  bool ChooseLayout() {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    const int colour = png_get_color_type(png_, info_);
    if (png_get_bit_depth(png_, info_) == 16) {
      if (colour == PNG_COLOR_TYPE_GRAY) {
        png_set_scale_16(png_);
      } else {
        png_set_strip_16(png_);
      }
    }
    png_set_expand(png_);  // palettes to colours, few bits to 8, transparent colours to alpha
    if (channels_ == 3) {
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
    png_read_image(png_, rows_.data());
    png_read_end(png_, nullptr);  // a file that ends before its end mark is cut
    return true;
  }

  static void Read(png_structp png, png_bytep out, size_t size) {
    auto* self = static_cast<PngDecoder*>(png_get_io_ptr(png));
    if (size > self->bytes_.size()) png_error(png, "premature end of PNG file");
    std::memcpy(out, self->bytes_.data(), size);
    self->bytes_.remove_prefix(size);
  }

  static void Fail(png_structp png, png_const_charp message) {
    auto* self = static_cast<PngDecoder*>(png_get_error_ptr(png));
    std::strncpy(self->error_, message, sizeof(self->error_) - 1);
    png_longjmp(png, 1);
  }

  static void Ignore(png_structp, png_const_charp) {
  }  // warnings are about what is beside the pixels

  absl::string_view bytes_;
  const int channels_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  cv::Mat image_;
  std::vector<png_bytep> rows_;
  char error_[128] = {};
};

}  // namespace

absl::StatusOr<cv::Mat> DecodeImage(absl::string_view bytes, int channels) {
  if (bytes.empty()) return absl::DataLossError("is empty");
  if (absl::StartsWith(bytes, "\xFF\xD8\xFF")) return DecodeJpeg(bytes, channels);
  if (absl::StartsWith(bytes, "\x89PNG\r\n\x1A\n")) return PngDecoder(bytes, channels).Decode();
  const std::pair<absl::string_view, const char*> others[] = {
      {"BM", "BMP"}, {"GIF8", "GIF"}, {"II*", "TIFF"}, {"MM", "TIFF"}, {"RIFF", "WebP"}};
  for (const auto& [magic, format] : others) {
    if (absl::StartsWith(bytes, magic)) {
      return absl::DataLossError(
          absl::StrCat("seems to be a ", format, " image, which is not read; convert it to PNG"));
    }
  }
  return absl::DataLossError("is neither a JPEG nor a PNG image");
}

cv::Mat ToChannels(const cv::Mat& image, int channels) {
  const int from = image.channels();
  if (from == channels) return image;
  cv::Mat result(image.rows, image.cols, CV_8UC(channels));
  for (int y = 0; y < image.rows; ++y) {
    const uint8_t* in = image.ptr(y);
    uint8_t* out = result.ptr(y);
    for (int x = 0; x < image.cols; ++x, in += from, out += channels) {
      const bool colour = from > 2;
      if (channels > 2) {
        for (int c = 0; c < 3; ++c) out[c] = colour ? in[c] : in[0];
      } else {
        out[0] = colour ? (in[0] * 19595 + in[1] * 38470 + in[2] * 7471 + 0x8000) >> 16 : in[0];
      }
      if (channels % 2 == 0) out[channels - 1] = from % 2 == 0 ? in[from - 1] : 255;
    }
  }
  return result;
}

absl::StatusOr<cv::Mat> DecodeNamed(const std::string& name, absl::string_view bytes,
                                    int channels) {
  auto image = DecodeImage(bytes, channels);
  if (image.ok()) return image;
  return absl::DataLossError(absl::StrCat("'", name, "' ", image.status().message()));
}

absl::StatusOr<std::string> ReadImageFile(const std::string& path) {
  auto bytes = base::ReadFile(path, kMaxImageBytes);
  if (!bytes.ok()) return absl::DataLossError(bytes.status().message());
  return bytes;
}

absl::StatusOr<cv::Mat> ReadImage(const std::string& path, int channels) {
  const auto bytes = ReadImageFile(path);
  if (!bytes.ok()) return bytes.status();
  return DecodeNamed(path, *bytes, channels);
}

}  // namespace data
