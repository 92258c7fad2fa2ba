// Measures whether a run is healthy, without influencing it; docs/health.md explains the numbers.
#ifndef MOCO_HEALTH_H_
#define MOCO_HEALTH_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>

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

// The numbers of one epoch.
struct Health {
  // Mean loss as a share of Loss::Chance; empty where the loss has no such number.
  std::optional<double> loss;
  // Share of the queue that holds keys instead of the initial noise.
  double filled = 0;
  // Age of the oldest key, in epochs.
  double age = 0;
  // 1 - |mean key|^2: 0 if all keys are equal, 1 if their mean is zero.
  double spread = 0;
  // Number of dimensions that the keys use: (tr S)^2 / tr S^2, where S is their covariance; 1 to C.
  double dimensions = 0;
  // (batch - earlier) / (own - earlier): the share of a query's similarity to its key that comes
  // from being in the same batch and not from the image.
  double leak = 0;
};

// Sets spread and dimensions. keys: M x C, the unit rows of the queue without the initial noise.
void MeasureSpread(const at::Tensor& keys, Health& health);

// Sets leak. sums: Similarities added over the steps of an epoch.
void MeasureLeak(const Similarities& sums, Health& health);

// Returns "filling", "crowded", "collapsed", "leaking" or "learning", followed by the cause and the
// remedy if there is one.
std::string Verdict(const Health& health);

}  // namespace moco

#endif  // MOCO_HEALTH_H_
