// Stochastic gradient descent with momentum, as torch.optim.SGD: g += wd p; v = m v + g; p -= lr v.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/zeros_like.h>

#include <optional>

#include "moco/optimizers/optimizer.h"

namespace moco {
namespace {

struct SgdOptions {
  double momentum = 0.9;
  double weight_decay = 1e-4;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("momentum", momentum, "factor of the previous update", registry::Between(0, 1));
    v("weight_decay", weight_decay,
      "L2 penalty on every parameter, including biases and batch norm", registry::AtLeast(0));
  }
};

class Sgd : public Optimizer {
 public:
  Sgd(const SgdOptions& options, const std::vector<at::Tensor>& parameters)
      : options_(options), parameters_(parameters) {
    for (const at::Tensor& p : parameters_) velocity_.push_back(at::zeros_like(p).detach());
  }

  void Step(double lr, const at::Tensor& skip) override {
    at::NoGradGuard no_grad;
    std::vector<at::Tensor> gradients;
    gradients.reserve(parameters_.size());
    for (const at::Tensor& p : parameters_) gradients.push_back(p.grad());
    // With a velocity of zero, the first step gives v = g, as in torch.optim.
    // Without momentum there must be no velocities.
    at::_fused_sgd_(parameters_, gradients,
                    options_.momentum > 0 ? at::TensorList(velocity_) : at::TensorList(),
                    options_.weight_decay, options_.momentum, lr,
                    /*dampening=*/0, /*nesterov=*/false, /*maximize=*/false,
                    /*is_first_step=*/false, /*grad_scale=*/{},
                    skip.defined() ? std::optional(skip) : std::nullopt);
  }

  std::vector<Slot> State() const override { return {{"momentum_buffer", velocity_}}; }

  std::vector<std::pair<std::string, std::vector<double>>> Constants() const override {
    return {{"momentum", {options_.momentum}},
            {"dampening", {0}},
            {"weight_decay", {options_.weight_decay}}};
  }

 private:
  const SgdOptions options_;
  std::vector<at::Tensor> parameters_, velocity_;
};

absl::StatusOr<std::unique_ptr<Optimizer>> MakeSgd(const SgdOptions& options,
                                                   const std::vector<at::Tensor>& parameters) {
  return std::make_unique<Sgd>(options, parameters);
}

REGISTER_PLUGIN(Optimizers, "sgd", "gradient descent with momentum", SgdOptions, MakeSgd);

}  // namespace
}  // namespace moco
