// Measures whether a run is healthy, without influencing it; docs/health.md explains the numbers.
#ifndef MOCO_HEALTH_H_
#define MOCO_HEALTH_H_

#include <ATen/core/Tensor.h>

#include "moco/verdict.h"

namespace moco {

// Mean similarities (q . k) of a step's N queries.
struct Similarities {
  // three: the result of Compare.
  static Similarities Of(const at::Tensor& three);

  double own = 0;      // with their own keys
  double batch = 0;    // with the other keys of their batch
  double earlier = 0;  // with the keys of the steps before, extrapolated to this step

  Similarities& operator+=(const Similarities& other);
};

// Returns the numbers of Similarities, in their order: a tensor of 3, float64, on the device of the
// arguments (the call does not wait for a device that is still computing).
// q, k: N x C. last, before: M x C, the keys that the last step enqueued, and those of the step
// before it. The encoders move, so keys become less similar to a query with every step: the
// decrease of similarity between the two steps is added to the last (not if `before` is undefined).
// A single query has no other keys in its batch; `batch` is then `earlier`.
at::Tensor Compare(const at::Tensor& q, const at::Tensor& k, const at::Tensor& last,
                   const at::Tensor& before);

// Sets spread and dimensions. keys: M x C, the unit rows of the queue without the initial noise.
void MeasureSpread(const at::Tensor& keys, Health& health);

// Sets leak. sums: Similarities added over the steps of an epoch.
void MeasureLeak(const Similarities& sums, Health& health);

}  // namespace moco

#endif  // MOCO_HEALTH_H_
