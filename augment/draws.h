// What the random augmentations draw: parameters of ops.h, from the distributions of torchvision
// 0.26.
#ifndef AUGMENT_DRAWS_H_
#define AUGMENT_DRAWS_H_

#include <array>
#include <opencv2/core/types.hpp>
#include <vector>

#include "base/rng.h"

namespace augment {

// Shares of the image's area, up to 1, and ratios of width to height, above 0.
struct CropRange {
  double scale_min, scale_max;
  double ratio_min, ratio_max;
};

// RandomResizedCrop's box inside an image: area uniform, ratio uniform in its logarithm, drawn
// again until the shape fits, then any place. After ten shapes that do not fit, the largest central
// one of an allowed ratio.
cv::Rect DrawCrop(base::Rng& rng, const cv::Size& image, const CropRange& range);

enum class Colour { kBrightness, kContrast, kSaturation, kHue };

struct ColourChange {
  Colour colour;
  double amount;  // a factor, or for the hue a turn
};

// ColorJitter's changes, in any order. `amounts`, by Colour: factors are 1 - a (at least 0) to 1 +
// a, the turn is -a to a; 0: no change.
std::vector<ColourChange> DrawColourChanges(base::Rng& rng, const std::array<double, 4>& amounts);

}  // namespace augment

#endif  // AUGMENT_DRAWS_H_
