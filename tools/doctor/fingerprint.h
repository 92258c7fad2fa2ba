// What is kept of an image to recognise it among many: 216 bytes.
#ifndef TOOLS_DOCTOR_FINGERPRINT_H_
#define TOOLS_DOCTOR_FINGERPRINT_H_

#include <array>
#include <cstdint>
#include <opencv2/core/mat.hpp>

namespace doctor {

// Rows and columns of the thumbnail.
inline constexpr int kThumbnail = 8;

struct Fingerprint {
  // Two checksums of the size and of every pixel: equal for images with equal pixels, whatever
  // their files are, and, by chance, for two others in 2^128.
  std::array<uint64_t, 2> pixels = {};
  // Signs of the lowest frequencies of the image's brightness (a DCT of 32 x 32 pixels): copies in
  // another size or quality differ in few bits.
  uint64_t perceptual = 0;
  // RGB, row after row.
  std::array<uint8_t, 3 * kThumbnail* kThumbnail> thumbnail = {};
};

// `image`: as data::Dataset::Image gives it. Of 5 or more channels, the first three count as RGB.
// The hash and the thumbnail of a dark image of more than 8 bits are those of a brighter one.
// Thread-safe.
Fingerprint FingerprintOf(const cv::Mat& image);

// Whether nothing can be seen on the thumbnail but one colour.
bool IsBlank(const Fingerprint& fingerprint);

// Whether two thumbnails show the same, apart from brightness and from what JPEG changes. The
// perceptual hashes of blank images say nothing, so these are never near.
bool IsNear(const Fingerprint& a, const Fingerprint& b);

}  // namespace doctor

#endif  // TOOLS_DOCTOR_FINGERPRINT_H_
