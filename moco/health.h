// Whether a run is healthy. Nothing here changes it; docs/health.md says how to read the numbers.
#ifndef MOCO_HEALTH_H_
#define MOCO_HEALTH_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>

namespace moco {

// Mean similarities (q . k) of a step's N queries.
struct Similarities {
  // As Compare gives them.
  static Similarities Of(const at::Tensor& three);

  double own = 0;      // with their own keys
  double batch = 0;    // with the other keys of their batch
  double earlier = 0;  // with the keys of the steps before, extrapolated to this step

  Similarities& operator+=(const Similarities& other);
};

// The numbers of Similarities, in their order: 3, float64, where the vectors are (no wait for a
// device that is still at work).
// q, k: N x C. last, before: the M x C keys that the last step enqueued, and the step before it.
// The encoders move, so that keys are less like a query with every step that has passed: what they
// lost between the two is added to the last (`before` may be undefined: then nothing is). With one
// query, which has no other keys in its batch, `batch` is taken to be `earlier`.
at::Tensor Compare(const at::Tensor& q, const at::Tensor& k, const at::Tensor& last,
                   const at::Tensor& before);

// What an epoch showed.
struct Health {
  // Mean, as a share of Loss::Chance; empty where the loss has no such number.
  std::optional<double> loss;
  double filled = 0;  // share of the queue that holds keys, not the noise that it starts with
  double age = 0;     // of the oldest key, in epochs
  double spread = 0;  // 1 - |mean key|^2: 0 when all keys are the same, 1 when centred
  double dimensions =
      0;            // that the keys spread over: (tr S)^2 / tr S^2, S their covariance; 1 to C
  double leak = 0;  // (batch - earlier) / (own - earlier): what of a query's likeness to its
                    // key comes from their being in one batch, not from the image
};

// Of the queue's keys: M x C unit rows, without the noise. Sets spread and dimensions.
void MeasureSpread(const at::Tensor& keys, Health& health);

// sums: over the steps of an epoch. Sets leak.
void MeasureLeak(const Similarities& sums, Health& health);

// "filling", "collapsed", "leaking" or "learning", and what to do about it where there is.
std::string Verdict(const Health& health);

}  // namespace moco

#endif  // MOCO_HEALTH_H_
