// The pixels of ordinary PNG files, in less than half of libpng's time: the whole image is unpacked
// at once by libdeflate, and filters are undone with vector instructions.
#ifndef DATA_CODECS_PNG_PIXELS_H_
#define DATA_CODECS_PNG_PIXELS_H_

#include <opencv2/core/mat.hpp>

#include "absl/strings/string_view.h"

namespace data {

// Reads the pixels of a PNG file of 8 bits a channel (or an index into a palette) that is not
// interlaced. `chunks` is the file from its first IDAT chunk on, beginning with the chunk's length;
// what is before it has been checked. `pixels` is continuous, CV_8U, has the file's rows and
// columns, and 1 to 4 channels as stored.
//
// Returns false, with undefined pixels, unless everything is in order: the IDAT chunks lie one
// behind the other, and lengths, checksums and filters are right. So libpng decides about every
// file that is odd, cut or damaged. (Where its zlib refuses code tables that are malformed, and
// libdeflate does not, all checksums must still be right.)
bool ReadPngPixels(absl::string_view chunks, cv::Mat& pixels);

}  // namespace data

#endif  // DATA_CODECS_PNG_PIXELS_H_
