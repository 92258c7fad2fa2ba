// The linear classifier: one layer, cross entropy, stochastic gradient descent.
#ifndef MOCO_MEASURES_LINEAR_PROBE_H_
#define MOCO_MEASURES_LINEAR_PROBE_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "moco/checkpoints/state_dict.h"
#include "moco/communicators/communicator.h"
#include "moco/optimizers/optimizer.h"

namespace moco {

struct LinearProbeOptions {
  int64_t features = 0;
  int64_t classes = 0;
  double momentum = 0.9;
  double weight_decay = 0;
  uint64_t seed = 0;
  at::Device device = at::kCPU;  // holds the weights, which are drawn on the CPU
  // Parameters of the network that computes the features, if it is trained too.
  std::vector<at::Tensor> below = {};
};

// Means over the images of a batch or a set.
struct ProbeMetrics {
  double loss = 0;
  double acc1 = 0;  // share of images whose class has the largest logit, 0 to 1
  double acc5 = 0;  // share of images whose class is among the min(5, classes) largest
};

// What a classifier says of N images.
struct Predictions {
  at::Tensor classes;        // N, int64: the most likely class; of equally likely ones the first
  at::Tensor probabilities;  // N, float32: of that class
};

// logits: N x classes, on any device. The result is in main memory.
Predictions Predict(const at::Tensor& logits);

// Returns a classifier's initial weights, classes x features, drawn from a normal distribution with
// mean 0 and standard deviation 0.01: the MoCo paper's protocol, section 4.1.
at::Tensor InitialWeight(int64_t classes, int64_t features, uint64_t seed);

// Returns how many classes come before an image's own class, 0 if its own is the most likely one:
// the classes with a larger logit, and the earlier ones of those with an equal logit.
// logits: N x classes x ..., labels: N x 1 x ... int64. Returns N x 1 x ... int64.
at::Tensor Ranks(const at::Tensor& logits, const at::Tensor& labels);

class LinearProbe {
 public:
  // Weights as InitialWeight, bias 0.
  // InvalidArgument for constants that the optimizer refuses.
  // The communicator must outlive the probe.
  static absl::StatusOr<std::unique_ptr<LinearProbe>> Create(const LinearProbeOptions& options,
                                                             Communicator& communicator);

  // One update at learning rate `lr` on the images of all ranks. `images` of them are on this rank.
  //
  //   features: N x D, float32, on the device; differentiable with respect to `below`, if that has
  //             parameters.
  //
  //   labels:   N, int64, in [0, classes), on any device.
  //
  //   images:   N, or 0 on a rank without images in the last batch. Such a rank passes any features
  //             and labels; they do not count.
  //
  // Returns the metrics before the update, over all ranks. Returns Aborted, without an update, if
  // the loss is not finite.
  absl::StatusOr<ProbeMetrics> Step(const at::Tensor& features, const at::Tensor& labels,
                                    int64_t images, double lr);

  // Returns the metrics of a whole set of N images, at least 1, on any device. It is computed in
  // blocks, so that N x classes need not fit into memory.
  ProbeMetrics Evaluate(const at::Tensor& features, const at::Tensor& labels) const;

  // Returns the predictions for N images, whose features are on any device; also in blocks.
  Predictions PredictAll(const at::Tensor& features) const;

  // The tensors themselves, not copies: weight (classes x D) and bias (classes).
  StateDict State() const { return {{"weight", weight_}, {"bias", bias_}}; }

  const Optimizer& optimizer() const { return *optimizer_; }

 private:
  LinearProbe(std::vector<at::Tensor> parameters, std::unique_ptr<Optimizer> optimizer,
              Communicator& communicator);

  const std::vector<at::Tensor> parameters_;  // below, weight, bias: the order of the whole network
  const at::Tensor weight_, bias_;
  const std::unique_ptr<Optimizer> optimizer_;
  Communicator& communicator_;
};

}  // namespace moco

#endif  // MOCO_MEASURES_LINEAR_PROBE_H_
