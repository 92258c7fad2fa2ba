// Heads: from a backbone's features to the vectors that are contrasted, as plugins.
#ifndef MOCO_HEADS_HEAD_H_
#define MOCO_HEADS_HEAD_H_

#include <torch/nn/module.h>

#include <cstdint>

#include "registry/registry.h"

namespace moco {

// Parameters are named as below `fc.` in the reference's checkpoints.
class Head : public torch::nn::Module {
 public:
  // features: N x feature_dim. Returns N x dim(), not normalised.
  virtual at::Tensor forward(const at::Tensor& features) = 0;

  virtual int64_t dim() const = 0;

  // Draws the initial values that are drawn late: after the query and the key encoder have both
  // been made.
  virtual void Initialize() {}
};

// Made for the feature width.
using HeadRegistry = registry::Registry<Head, int64_t>;
HeadRegistry& Heads();

}  // namespace moco

#endif  // MOCO_HEADS_HEAD_H_
