// Optimizers: how gradients change parameters, as plugins.
#ifndef MOCO_OPTIMIZERS_OPTIMIZER_H_
#define MOCO_OPTIMIZERS_OPTIMIZER_H_

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

#include "registry/registry.h"

namespace moco {

class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // One update of every parameter from its gradient, at learning rate `lr`. Every gradient is
  // defined.
  virtual void Step(double lr) = 0;

  // The state, one tensor for each parameter, under torch.optim's names ("momentum_buffer"); the
  // tensors are the optimizer's own, so that a checkpoint is read by copying into them.
  struct Slot {
    std::string name;
    std::vector<at::Tensor> tensors;
  };
  virtual std::vector<Slot> State() const = 0;

  // torch.optim's names and values of the constants, for the checkpoint: one number, or several
  // ("betas").
  virtual std::vector<std::pair<std::string, std::vector<double>>> Constants() const = 0;
};

// Made for the parameters that it updates.
using OptimizerRegistry = registry::Registry<Optimizer, const std::vector<at::Tensor>&>;
OptimizerRegistry& Optimizers();

}  // namespace moco

#endif  // MOCO_OPTIMIZERS_OPTIMIZER_H_
