// The weights of Pillow's antialiased bilinear filter, which is PyTorch's, too.
#ifndef AUGMENT_RESIZE_TAPS_H_
#define AUGMENT_RESIZE_TAPS_H_

#include <vector>

namespace augment {

// For each output position: the first input position with a weight, and the weights from there on.
struct Taps {
  int width = 0;  // number of weights per output; those beyond the support are 0
  std::vector<int> first;
  std::vector<double> weights;  // `width` for each output, with the sum 1
};

// A triangle as wide as the scale, from `in` to `out` positions, both at least 1.
Taps TriangleTaps(int in, int out);

}  // namespace augment

#endif  // AUGMENT_RESIZE_TAPS_H_
