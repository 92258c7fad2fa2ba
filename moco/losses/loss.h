// Losses as plugins: a loss is computed from a query's similarities to its key and to the queue.
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

  // Returns the batch's mean loss, a differentiable scalar.
  //   positive: N, each query's similarity to its own key.
  //   negative: N x K, its similarities to the keys of the queue.
  // Similarities are cosines, in [-1, 1]; the temperature is the loss's own option.
  virtual at::Tensor operator()(const at::Tensor& positive, const at::Tensor& negative) const = 0;

  // Returns the loss of an encoder that distinguishes nothing, whose similarities to all
  // `negatives` + 1 keys are equal; the loss of a run is compared with it. Empty if there is no
  // such number; the verdict on a run then does not use the loss.
  virtual std::optional<double> Chance(int64_t negatives) const { return std::nullopt; }
};

using LossRegistry = registry::Registry<Loss>;
LossRegistry& Losses();

}  // namespace moco

#endif  // MOCO_LOSSES_LOSS_H_
