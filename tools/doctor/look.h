// A look at every image of a data set, or at a sample of them: what is found in a single pass.
#ifndef TOOLS_DOCTOR_LOOK_H_
#define TOOLS_DOCTOR_LOOK_H_

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/dataset.h"
#include "tools/doctor/fingerprint.h"

namespace doctor {

// How an image is stored.
struct Kind {
  std::string format;  // "jpeg", the name of a codec; empty: in no file of its own
  std::string mode;    // as data::StoredPixels
  int bits = 8;

  auto operator<=>(const Kind&) const = default;
};

// What is known of one image that was read: 228 bytes.
struct SeenImage {
  uint32_t index = 0;  // in the data set
  int32_t rows = 0, cols = 0;
  uint16_t kind = 0;        // index into Look::kinds
  uint8_t orientation = 1;  // Exif's, 1 to 8, as data::EncodedImage
  bool grey = false;        // no colour on the thumbnail
  Fingerprint fingerprint;
};

struct UnreadableImage {
  int64_t index;
  std::string why;
};

struct Look {
  int64_t size = 0;                         // of the data set
  int64_t looked_at = 0;                    // images, evenly spaced
  std::vector<SeenImage> images;            // that could be read, ascending
  std::vector<UnreadableImage> unreadable;  // ascending
  std::vector<Kind> kinds;
  // Over the pixels of the images that could be read, each image with the same weight, of each
  // channel that they were decoded to: 0 to 1.
  std::vector<double> mean, deviation;
  // Of the images that could be read: bytes of their own files, and of their pixels as decoded.
  uint64_t file_bytes = 0, pixel_bytes = 0;
  // The largest value of the images of 16 bits: 0 to 1; 0 if there are none.
  double largest_of_16_bits = 0;
  double seconds = 0;
};

struct LookOptions {
  int64_t sample = 0;  // number of images to look at; 0: all
  int threads = 1;
  std::string what;  // for the progress
};

// Prints the progress. ResourceExhausted if memory is short, or no thread can be started. The
// result does not depend on the number of threads.
absl::StatusOr<Look> LookAt(const data::Dataset& dataset, const LookOptions& options);

}  // namespace doctor

#endif  // TOOLS_DOCTOR_LOOK_H_
