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
  at::Device device = at::kCPU;        // of its weights, which are drawn on the CPU
  std::vector<at::Tensor> below = {};  // parameters of what makes the features, trained with it
};

// Means over the images of a batch or a set.
struct ProbeMetrics {
  double loss = 0;
  double acc1 = 0;  // share of images whose class has the largest logit, 0 to 1
  double acc5 = 0;  // whose class is among the min(5, classes) largest
};

// What a classifier starts with, classes x features: drawn from N(0, 0.01) (deviation), the MoCo
// paper's protocol, section 4.1.
at::Tensor InitialWeight(int64_t classes, int64_t features, uint64_t seed);

// How many classes come before an image's own, 0 for the most likely one: those with a larger
// logit, and of equal ones the earlier classes. logits: N x classes x ..., labels: N x 1 x ...
// int64. Returns N x 1 x ... int64.
at::Tensor Ranks(const at::Tensor& logits, const at::Tensor& labels);

class LinearProbe {
 public:
  // Weights as InitialWeight, bias 0.
  // InvalidArgument for constants that the optimizer refuses.
  // The communicator must outlive the probe.
  static absl::StatusOr<std::unique_ptr<LinearProbe>> Create(const LinearProbeOptions& options,
                                                             Communicator& communicator);

  // One update at learning rate `lr` for the images of all ranks, of which this one has `images`.
  //   features: N x D float32 on the device, with a gradient to each parameter `below` where there
  //   are such. labels:   N int64 in [0, classes), on any device. images:   N; or 0 on a rank that
  //   has none in the last batch and gives something in their
  //             place, which does not count.
  // The metrics are of before the update, over all ranks. Aborted, with nothing updated, when the
  // loss is not finite.
  absl::StatusOr<ProbeMetrics> Step(const at::Tensor& features, const at::Tensor& labels,
                                    int64_t images, double lr);

  // Of a whole set, N at least 1, on any device, in blocks, so that N x classes need not fit.
  ProbeMetrics Evaluate(const at::Tensor& features, const at::Tensor& labels) const;

  // weight (classes x D) and bias (classes), live.
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
