// How a picture is to be turned before it is shown, as cameras note it in a file's metadata.
#ifndef DATA_ORIENTATION_H_
#define DATA_ORIENTATION_H_

#include <opencv2/core/mat.hpp>
#include <optional>

#include "absl/strings/string_view.h"

namespace data {

// The tag Orientation of the first directory of Exif metadata: a TIFF header and what follows it,
// with or without "Exif\0\0" in front. Nullopt if there is no such tag; other values than 1 to 8
// are returned as they are. Never reads outside of `exif`, whatever it holds.
std::optional<int> OrientationOfExif(absl::string_view exif);

// The property tiff:Orientation of XMP metadata.
std::optional<int> OrientationOfXmp(absl::string_view xmp);

// What Pillow's ImageOps.exif_transpose makes of `image`, of any type. Shares the pixels of `image`
// if `orientation` is not 2 to 8.
cv::Mat Turned(const cv::Mat& image, int orientation);

}  // namespace data

#endif  // DATA_ORIENTATION_H_
