// Linear probes for a grid of learning rates and weight decays and for several features, trained
// side by side in one pass over the data. The classifiers of the grid are stacked into one matrix,
// so that a step needs two matrix products for all of them.
//
// Each probe equals a separate run of LinearProbe on features in memory, up to float rounding:
// initial weights, batches and updates are the same.
#ifndef MOCO_MEASURES_LINEAR_SWEEP_H_
#define MOCO_MEASURES_LINEAR_SWEEP_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "moco/checkpoints/state_dict.h"
#include "moco/measures/feature_rows.h"
#include "moco/measures/linear_probe.h"

namespace moco {

// One or several features of the same N images, and the label of each image: N int64 in [0,
// classes).
struct SweepData {
  std::vector<FeatureRows> features;
  at::Tensor labels;
};

struct SweepOptions {
  struct Probe {
    double lr = 0, weight_decay = 0;
  };
  std::vector<Probe> grid;
  int64_t classes = 0;
  double momentum = 0.9;
  int64_t batch_size = 256;  // at most N; the last batch of an epoch may be smaller
  uint64_t seed = 0;         // determines initial weights and order
  // Factor of the learning rates in each step, counted from 0 over all epochs.
  std::function<double(int64_t step)> schedule;
};

// Probe p uses features p / grid.size() and entry p % grid.size() of the grid.
class LinearSweep {
 public:
  LinearSweep(const SweepOptions& options, const SweepData& train);
  ~LinearSweep();

  int64_t probes() const;

  // Trains one epoch, in the order of a loader with this seed. A probe whose loss is not finite is
  // excluded from then on.
  void TrainEpoch();

  // Returns the epoch, from 0, in which a probe's loss was not finite; -1 if there is none.
  int64_t Diverged(int64_t probe) const;

  // Returns the metrics of each probe over all images of a set with the same features. Those of a
  // diverged probe have no meaning; the loss of a probe that is about to diverge may not be finite.
  std::vector<ProbeMetrics> Evaluate(const SweepData& data) const;

  // Returns the predictions of a probe for all images of a set with the same features.
  Predictions Predict(int64_t probe, const SweepData& data) const;

  // Returns a copy of the state of a probe: weight (classes x D) and bias (classes), and the
  // momentum of each.
  struct State {
    StateDict parameters, momentum;
  };
  State Copy(int64_t probe) const;

 private:
  class Stack;  // the probes of one feature

  const SweepOptions options_;
  const SweepData train_;
  std::vector<Stack> stacks_;
  int64_t epoch_ = 0, step_ = 0;
};

}  // namespace moco

#endif  // MOCO_MEASURES_LINEAR_SWEEP_H_
