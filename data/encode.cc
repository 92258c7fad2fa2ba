#include "data/encode.h"

#include <glog/logging.h>
#include <png.h>
#include <turbojpeg.h>

namespace data {
namespace {

void CheckPicture(const cv::Mat& image) {
  CHECK(image.type() == CV_8UC1 || image.type() == CV_8UC3)
      << "not an image of 8 bits and 1 or 3 channels: type " << image.type();
  CHECK(!image.empty());
}

}  // namespace

std::string EncodePng(const cv::Mat& image) {
  CheckPicture(image);
  png_image header = {};
  header.version = PNG_IMAGE_VERSION;
  header.width = image.cols;
  header.height = image.rows;
  header.format = image.channels() == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  std::string bytes(PNG_IMAGE_PNG_SIZE_MAX(header), '\0');
  png_alloc_size_t size = bytes.size();
  CHECK(png_image_write_to_memory(&header, bytes.data(), &size, /*convert_to_8_bit=*/0, image.data,
                                  static_cast<int>(image.step), /*colormap=*/nullptr))
      << header.message;
  bytes.resize(size);
  return bytes;
}

std::string EncodeJpeg(const cv::Mat& image, int quality) {
  CheckPicture(image);
  const bool grey = image.channels() == 1;
  const int subsampling = grey ? TJSAMP_GRAY : TJSAMP_420;
  std::string bytes(tjBufSize(image.cols, image.rows, subsampling), '\0');
  auto* out = reinterpret_cast<unsigned char*>(bytes.data());
  unsigned long size = bytes.size();  // NOLINT: TurboJPEG's own type
  tjhandle encoder = tjInitCompress();
  CHECK(tjCompress2(encoder, image.data, image.cols, static_cast<int>(image.step), image.rows,
                    grey ? TJPF_GRAY : TJPF_RGB, &out, &size, subsampling, quality,
                    TJFLAG_NOREALLOC) == 0)
      << tjGetErrorStr2(encoder);
  tjDestroy(encoder);
  bytes.resize(size);
  return bytes;
}

}  // namespace data
