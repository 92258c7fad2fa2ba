// Heads as plugins: a head maps a backbone's features to the vectors that the loss compares.
#ifndef MOCO_HEADS_HEAD_H_
#define MOCO_HEADS_HEAD_H_

#include <torch/nn/module.h>

#include <cstdint>

#include "registry/registry.h"

namespace moco {

// Parameters have the names that they have below `fc.` in the reference's checkpoints.
class Head : public torch::nn::Module {
 public:
  // features: N x feature_dim. Returns N x dim(), not normalised.
  virtual at::Tensor forward(const at::Tensor& features) = 0;

  virtual int64_t dim() const = 0;

  // Draws those initial values that the constructor does not draw. Called after both the query and
  // the key encoder have been made.
  virtual void Initialize() {}
};

// A factory gets the width of the features.
using HeadRegistry = registry::Registry<Head, int64_t>;
HeadRegistry& Heads();

}  // namespace moco

#endif  // MOCO_HEADS_HEAD_H_
