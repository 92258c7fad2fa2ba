// How image files become pixels; every data set is opened with it.
#ifndef DATA_DECODE_OPTIONS_H_
#define DATA_DECODE_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace data {

// The stored values that become 0 and 1; low < high, both finite.
struct ValueRange {
  double low = 0, high = 1;
  bool operator==(const ValueRange&) const = default;
};

struct DecodeOptions {
  // 1 (grey), 2 (grey and alpha), 3 (RGB), 4 (RGB and alpha); or as many as the files store, up to
  // kMaxChannels.
  int channels = 3;

  // Whether images are turned as their Exif orientation says (--exif=apply), as Pillow's
  // ImageOps.exif_transpose does.
  bool apply_exif = false;

  // Larger images are refused before their pixels are allocated (--max-megapixels): a PNG of one
  // megabyte can ask for a gigabyte.
  int64_t max_pixels = 100'000'000;

  // What images of more than 8 bits are mapped by (--range): one for all channels, or one for each.
  // Empty: 0 to 65,535, for images of 16 bits; others are refused.
  std::vector<ValueRange> range = {};

  // Of a file of several pages (EncodedImage::pages): which one is read, or whether all of them,
  // each of one channel, are the channels of one image (--pages=channels).
  int64_t page = 0;
  bool pages_as_channels = false;

  // Images of more than 8 bits keep their stored values (tools that look at values or copy them).
  bool raw = false;
};

inline constexpr int kMaxChannels = 64;

// The options that flags give: --exif (ignore or apply) and --max-megapixels.
inline DecodeOptions MakeDecodeOptions(int channels, const std::string& exif,
                                       int64_t max_megapixels) {
  return {channels, exif == "apply", max_megapixels * 1'000'000};
}

}  // namespace data

#endif  // DATA_DECODE_OPTIONS_H_
