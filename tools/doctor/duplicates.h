// Which of many images are the same.
#ifndef TOOLS_DOCTOR_DUPLICATES_H_
#define TOOLS_DOCTOR_DUPLICATES_H_

#include <cstdint>
#include <vector>

#include "tools/doctor/fingerprint.h"

namespace doctor {

// Perceptual hashes of near duplicates differ in at most so many bits of 63.
inline constexpr int kNearBits = 7;

// Indices into the fingerprints, ascending; the groups in the order of their first images.
struct Duplicates {
  std::vector<std::vector<int64_t>> exact;  // groups of two or more with equal pixels
  // Groups of images that are near each other, perhaps over several steps. Each has at least two
  // images with different pixels; of those with equal pixels it has them all.
  std::vector<std::vector<int64_t>> near;
};

// Every pair of hashes within kNearBits is found (multi-index hashing: Norouzi et al., CVPR 2012),
// and is near if IsNear says so. Runs on up to `threads` (at least 1) threads.
Duplicates FindDuplicates(const std::vector<Fingerprint>& fingerprints, int threads);

}  // namespace doctor

#endif  // TOOLS_DOCTOR_DUPLICATES_H_
