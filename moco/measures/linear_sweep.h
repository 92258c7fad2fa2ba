// Linear probes for a grid of learning rates and weight decays, and for several features, that are
// trained side by side in one pass over the data: the classifiers of the grid are one stacked
// matrix, so that a step is two matrix products for all of them.
//
// Each is what a run of its own would be, within the rounding of float: the same start, batches and
// updates as LinearProbe over features in memory.
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

// The same images in one or several features, all of one size, with the label of each: N int64 in
// [0, classes).
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
  uint64_t seed = 0;         // decides initial weights and order
  // What a learning rate is multiplied by in a step, counted from 0 over all epochs.
  std::function<double(int64_t step)> schedule;
};

// Probe p is of features p / grid.size(), and of the grid's entry p % grid.size().
class LinearSweep {
 public:
  LinearSweep(const SweepOptions& options, const SweepData& train);
  ~LinearSweep();

  int64_t probes() const;

  // The next pass over the training images, in the order that a loader of this seed has. A probe
  // whose loss is not finite takes no part from then on.
  void TrainEpoch();

  // The epoch, from 0, in which a probe's loss was not finite; -1: in none.
  int64_t Diverged(int64_t probe) const;

  // Of each probe, over all images of a set with the same features. One that has diverged has
  // nothing to say; the loss of one that will is perhaps not finite.
  std::vector<ProbeMetrics> Evaluate(const SweepData& data) const;

  // A copy of what a probe is now: weight (classes x D) and bias (classes), and the momentum of
  // each.
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
