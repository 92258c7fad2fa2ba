// Optimizers as plugins.
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

  // Updates every parameter from its gradient, at learning rate `lr`. Every gradient must be
  // defined. skip: undefined, or a single float32 on the device of the parameters; if it is 1
  // instead of 0, no bit of the parameters and of the state changes, whatever the gradients are.
  // The step does not wait for the device, and so must not read `skip` on the host.
  virtual void Step(double lr, const at::Tensor& skip) = 0;
  void Step(double lr) { Step(lr, {}); }

  // Returns the state: one tensor for each parameter, under torch.optim's names
  // ("momentum_buffer"). The tensors are the optimizer's own; copying a checkpoint into them
  // restores it.
  struct Slot {
    std::string name;
    std::vector<at::Tensor> tensors;
  };
  virtual std::vector<Slot> State() const = 0;

  // Returns the constants for the checkpoint, under torch.optim's names: one number, or several
  // ("betas").
  virtual std::vector<std::pair<std::string, std::vector<double>>> Constants() const = 0;
};

// A factory gets the parameters to update.
using OptimizerRegistry = registry::Registry<Optimizer, const std::vector<at::Tensor>&>;
OptimizerRegistry& Optimizers();

}  // namespace moco

#endif  // MOCO_OPTIMIZERS_OPTIMIZER_H_
