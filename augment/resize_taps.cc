#include "augment/resize_taps.h"

#include <algorithm>
#include <cmath>

namespace augment {

Taps TriangleTaps(int in, int out) {
  const double scale = static_cast<double>(in) / out;
  const double support = std::max(scale, 1.0);
  Taps taps;
  taps.width = std::min(in, static_cast<int>(std::ceil(support)) * 2 + 1);
  taps.first.resize(out);
  taps.weights.assign(static_cast<size_t>(out) * taps.width, 0);
  std::vector<double> weights(taps.width);
  for (int x = 0; x < out; ++x) {
    const double centre = (x + 0.5) * scale;
    const int low = std::max(static_cast<int>(centre - support + 0.5), 0);
    const int high = std::min(static_cast<int>(centre + support + 0.5), in);
    double sum = 0;
    for (int i = low; i < high; ++i) {
      const double distance = std::fabs((i - centre + 0.5) * (1 / support));
      weights[i - low] = distance < 1 ? 1 - distance : 0;
      sum += weights[i - low];
    }
    // The window starts early enough to end inside the input.
    taps.first[x] = std::min(low, in - taps.width);
    double* row = &taps.weights[static_cast<size_t>(x) * taps.width + low - taps.first[x]];
    for (int i = 0; i < high - low; ++i) row[i] = weights[i] / sum;
  }
  return taps;
}

}  // namespace augment
