// WebP, by libwebp: lossy, lossless, and the first frame of animations.
#include <webp/decode.h>
#include <webp/demux.h>

#include <cstdint>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/codec.h"
#include "data/orientation.h"

namespace data {
namespace {

// "RIFF", the size of what follows (4 bytes), "WEBP", and the first chunk.
constexpr size_t kSizeAt = 4, kKindAt = 8, kChunkAt = 12;

const uint8_t* Bytes(absl::string_view bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}

absl::Status Error(VP8StatusCode code) {
  switch (code) {
    case VP8_STATUS_OUT_OF_MEMORY:
      return OutOfMemory();
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return Damaged("unsupported WebP feature");
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
      return Damaged("premature end of WebP file");
    default:
      return Damaged("invalid WebP data");
  }
}

class WebpImage : public EncodedImage {
 public:
  WebpImage(absl::string_view bytes, const WebPBitstreamFeatures& features)
      : bytes_(bytes), features_(features) {}

  int64_t rows() const override { return features_.height; }
  int64_t cols() const override { return features_.width; }
  StoredPixels stored() const override { return {features_.has_alpha ? "RGB and alpha" : "RGB"}; }

  absl::StatusOr<cv::Mat> Decode(int channels) override {
    return features_.has_animation ? FirstFrame() : Still(/*alpha=*/channels % 2 == 0);
  }

  int orientation() const override {
    const WebPData data = {Bytes(bytes_), bytes_.size()};
    const std::unique_ptr<WebPDemuxer, void (*)(WebPDemuxer*)> demuxer(WebPDemux(&data),
                                                                       WebPDemuxDelete);
    if (!demuxer) return 1;
    auto orientation = OrientationOfExif(Chunk(demuxer.get(), "EXIF"));
    if (!orientation) orientation = OrientationOfXmp(Chunk(demuxer.get(), "XMP "));
    return orientation.value_or(1);
  }

 private:
  // The contents of the first such chunk, which lie in the file; empty if there is none.
  static absl::string_view Chunk(const WebPDemuxer* demuxer, const char* name) {
    WebPChunkIterator chunk;
    if (!WebPDemuxGetChunk(demuxer, name, 1, &chunk)) return "";
    const absl::string_view contents(reinterpret_cast<const char*>(chunk.chunk.bytes),
                                     chunk.chunk.size);
    WebPDemuxReleaseChunkIterator(&chunk);
    return contents;
  }

  absl::StatusOr<cv::Mat> Still(bool alpha) {
    alpha = alpha && features_.has_alpha;
    cv::Mat image(features_.height, features_.width, alpha ? CV_8UC4 : CV_8UC3);
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config)) return Error(VP8_STATUS_INVALID_PARAM);
    config.output.colorspace = alpha ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = image.data;
    config.output.u.RGBA.stride = static_cast<int>(image.step);
    config.output.u.RGBA.size = image.step * image.rows;
    const VP8StatusCode code = WebPDecode(Bytes(bytes_), bytes_.size(), &config);
    WebPFreeDecBuffer(&config.output);
    if (code != VP8_STATUS_OK) return Error(code);
    return image;
  }

  // Drawn on the canvas, which is black and transparent around it.
  absl::StatusOr<cv::Mat> FirstFrame() {
    const WebPData data = {Bytes(bytes_), bytes_.size()};
    WebPAnimDecoderOptions options;
    if (!WebPAnimDecoderOptionsInit(&options)) return Error(VP8_STATUS_INVALID_PARAM);
    options.color_mode = MODE_RGBA;
    const std::unique_ptr<WebPAnimDecoder, void (*)(WebPAnimDecoder*)> decoder(
        WebPAnimDecoderNew(&data, &options), WebPAnimDecoderDelete);
    uint8_t* frame = nullptr;
    int end_ms = 0;
    if (!decoder || !WebPAnimDecoderGetNext(decoder.get(), &frame, &end_ms)) {
      return Damaged("invalid WebP animation");
    }
    return cv::Mat(features_.height, features_.width, CV_8UC4, frame).clone();
  }

  const absl::string_view bytes_;
  const WebPBitstreamFeatures features_;
};

class Webp : public Codec {
 public:
  bool Recognises(absl::string_view bytes) const override {
    return absl::StartsWith(bytes, "RIFF") && bytes.size() > kKindAt &&
           absl::StartsWith(bytes.substr(kKindAt), "WEBPVP8");
  }

  std::vector<std::string> Endings() const override { return {".webp"}; }

  absl::StatusOr<std::unique_ptr<EncodedImage>> Open(absl::string_view bytes) const override {
    if (bytes.size() < kChunkAt) return Error(VP8_STATUS_NOT_ENOUGH_DATA);
    // The decoder reads lossy files that lack their last bytes, and Pillow refuses them.
    uint64_t size = 0;
    for (size_t i = kKindAt; i-- > kSizeAt;) size = size << 8 | static_cast<uint8_t>(bytes[i]);
    if (size > bytes.size() - kKindAt) return Error(VP8_STATUS_NOT_ENOUGH_DATA);
    WebPBitstreamFeatures features;
    const VP8StatusCode code = WebPGetFeatures(Bytes(bytes), bytes.size(), &features);
    if (code != VP8_STATUS_OK) return Error(code);
    return std::make_unique<WebpImage>(bytes, features);
  }
};

absl::StatusOr<std::unique_ptr<Codec>> MakeWebp(const registry::NoOptions&) {
  return std::make_unique<Webp>();
}

REGISTER_PLUGIN(Codecs, "webp", "WebP files (.webp); of an animation the first frame",
                registry::NoOptions, MakeWebp);

}  // namespace
}  // namespace data
