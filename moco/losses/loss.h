// Losses: from the similarities of a query to its key and to the queue, as plugins.
#ifndef MOCO_LOSSES_LOSS_H_
#define MOCO_LOSSES_LOSS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "registry/registry.h"

namespace moco {

class Loss {
 public:
  virtual ~Loss() = default;

  // The batch's mean loss, a scalar that can be differentiated.
  //   positive: N, each query's similarity to its own key.
  //   negative: N x K, its similarities to the keys of the queue.
  // Similarities are cosines, in [-1, 1]; the temperature is the loss's own option.
  virtual at::Tensor operator()(const at::Tensor& positive, const at::Tensor& negative) const = 0;

  // The loss of an encoder that tells nothing, whose similarities to all `negatives` + 1 keys are
  // equal: what a run's loss is compared with. Empty when the loss has no such number; then a run
  // is judged without it.
  virtual std::optional<double> Chance(int64_t negatives) const { return std::nullopt; }
};

using LossRegistry = registry::Registry<Loss>;
LossRegistry& Losses();

}  // namespace moco

#endif  // MOCO_LOSSES_LOSS_H_
