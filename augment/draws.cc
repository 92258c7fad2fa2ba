#include "augment/draws.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace augment {

cv::Rect DrawCrop(base::Rng& rng, const cv::Size& image, const CropRange& range) {
  const int width = image.width, height = image.height;
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double area =
        static_cast<double>(width) * height * rng.Uniform(range.scale_min, range.scale_max);
    const double ratio =
        std::exp(rng.Uniform(std::log(range.ratio_min), std::log(range.ratio_max)));
    const int w = std::nearbyint(std::sqrt(area * ratio));
    const int h = std::nearbyint(std::sqrt(area / ratio));
    if (w > 0 && h > 0 && w <= width && h <= height) {
      const int y = rng.UniformInt(0, height - h);
      const int x = rng.UniformInt(0, width - w);
      return {x, y, w, h};
    }
  }
  int w = width, h = height;
  const double ratio = static_cast<double>(width) / height;
  if (ratio < range.ratio_min) {
    h = std::max<int>(std::nearbyint(w / range.ratio_min), 1);
  } else if (ratio > range.ratio_max) {
    w = std::max<int>(std::nearbyint(h * range.ratio_max), 1);
  }
  return {(width - w) / 2, (height - h) / 2, w, h};
}

std::vector<ColourChange> DrawColourChanges(base::Rng& rng, const std::array<double, 4>& amounts) {
  std::vector<ColourChange> changes;
  for (const int64_t i : rng.Permutation(4)) {
    const double a = amounts[i];
    if (a == 0) continue;
    const auto colour = static_cast<Colour>(i);
    changes.push_back({colour, colour == Colour::kHue ? rng.Uniform(-a, a)
                                                      : rng.Uniform(std::max(0.0, 1 - a), 1 + a)});
  }
  return changes;
}

}  // namespace augment
