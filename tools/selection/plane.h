// Features in two dimensions, for display.
#ifndef TOOLS_SELECTION_PLANE_H_
#define TOOLS_SELECTION_PLANE_H_

#include <ATen/core/Tensor.h>

#include <array>

#include "base/rng.h"

namespace selection {

// The plane through the mean in which the rows vary most: their first two principal components.
struct Plane {
  at::Tensor mean;  // D
  at::Tensor axes;  // D x 2, orthonormal; a column of zeros if the rows have no second dimension
  std::array<double, 2> shares;  // of the rows' variance, 0 to 1, the larger first

  // rows: n x D, float32. n x 2.
  at::Tensor Project(const at::Tensor& rows) const;
};

// rows: n x D, float32, n and D at least 1. Computed by subspace iteration from directions drawn
// from `rng` (Halko, Martinsson and Tropp, "Finding structure with randomness", SIAM Review 53,
// 2011), without a D x D matrix. The largest component of each axis is positive.
Plane PrincipalPlane(const at::Tensor& rows, base::Rng rng);

}  // namespace selection

#endif  // TOOLS_SELECTION_PLANE_H_
