// How image files become pixels; every data set is opened with it.
#ifndef DATA_DECODE_OPTIONS_H_
#define DATA_DECODE_OPTIONS_H_

#include <cstdint>
#include <string>

namespace data {

struct DecodeOptions {
  int channels = 3;  // 1 (grey), 2 (grey and alpha), 3 (RGB) or 4 (RGB and alpha)

  // Whether images are turned as their Exif orientation says (--exif=apply), as Pillow's
  // ImageOps.exif_transpose does.
  bool apply_exif = false;

  // Larger images are refused before their pixels are allocated (--max-megapixels): a PNG of one
  // megabyte can ask for a gigabyte.
  int64_t max_pixels = 100'000'000;
};

// The options that flags give: --exif (ignore or apply) and --max-megapixels.
inline DecodeOptions MakeDecodeOptions(int channels, const std::string& exif,
                                       int64_t max_megapixels) {
  return {channels, exif == "apply", max_megapixels * 1'000'000};
}

}  // namespace data

#endif  // DATA_DECODE_OPTIONS_H_
