// The weights of Pillow's antialiased bilinear filter, which is PyTorch's, too.
#ifndef AUGMENT_RESIZE_TAPS_H_
#define AUGMENT_RESIZE_TAPS_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace augment {

// For each output position: the first input position with a weight, and the weights from there on.
template <class Weight>
struct Taps {
  int width = 0;  // number of weights per output; those beyond the support are 0
  std::vector<int> first;
  std::vector<Weight> weights;  // `width` for each output
};

// A triangle as wide as the scale, from `in` to `out` positions, both at least 1. The weights of an
// output are those that `convert` makes of shares with the sum 1.
template <class Weight, class Convert>
Taps<Weight> TriangleTaps(int in, int out, const Convert& convert) {
  const double scale = static_cast<double>(in) / out;
  const double support = std::max(scale, 1.0);
  Taps<Weight> taps;
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
    Weight* row = &taps.weights[static_cast<size_t>(x) * taps.width + low - taps.first[x]];
    for (int i = 0; i < high - low; ++i) row[i] = convert(weights[i] / sum);
  }
  return taps;
}

}  // namespace augment

#endif  // AUGMENT_RESIZE_TAPS_H_
