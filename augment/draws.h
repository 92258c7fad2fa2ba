// The random parameters of the augmentations (the arguments of ops.h), drawn from the distributions
// of torchvision 0.26.
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

// RandomResizedCrop's box inside an image: the area is uniform, the ratio is uniform in its
// logarithm; both are drawn again until the shape fits, and then the position is uniform. If ten
// shapes do not fit, the box is the largest central one of an allowed ratio.
cv::Rect DrawCrop(base::Rng& rng, const cv::Size& image, const CropRange& range);

enum class Colour { kBrightness, kContrast, kSaturation, kHue };

struct ColourChange {
  Colour colour;
  double amount;  // a factor; for the hue, a turn
};

// ColorJitter's changes, in random order. `amounts` are indexed by Colour: a factor is drawn from 1
// - a (at least 0) to 1 + a, the turn from -a to a; 0 means no change.
std::vector<ColourChange> DrawColourChanges(base::Rng& rng, const std::array<double, 4>& amounts);

}  // namespace augment

#endif  // AUGMENT_DRAWS_H_
