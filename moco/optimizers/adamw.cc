// Adam with decoupled weight decay (Loshchilov and Hutter, "Decoupled weight decay regularization",
// ICLR 2019), as torch.optim.AdamW: p -= lr wd p; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
// p -= lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps).
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <optional>

#include "moco/optimizers/optimizer.h"

namespace moco {
namespace {

struct AdamWOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.01;
  template <class Visitor>
  void Visit(Visitor& v) {
    const registry::Range below_1 = registry::Between(0, 1 - 1e-9);
    v("beta1", beta1, "decay rate of the running mean of the gradient", below_1);
    v("beta2", beta2, "decay rate of the running mean of the squared gradient", below_1);
    v("eps", eps, "added to the denominator of an update", registry::AtLeast(0));
    v("weight_decay", weight_decay,
      "decoupled weight decay, multiplied by the learning rate; also of biases and batch norm",
      registry::AtLeast(0));
  }
};

class AdamW : public Optimizer {
 public:
  AdamW(const AdamWOptions& options, const std::vector<at::Tensor>& parameters)
      : options_(options), parameters_(parameters) {
    for (const at::Tensor& p : parameters_) {
      steps_.push_back(at::zeros({}, p.options().dtype(at::kFloat)));
      means_.push_back(at::zeros_like(p).detach());
      squares_.push_back(at::zeros_like(p).detach());
    }
  }

  void Step(double lr, const at::Tensor& skip) override {
    at::NoGradGuard no_grad;
    std::vector<at::Tensor> gradients;
    gradients.reserve(parameters_.size());
    for (const at::Tensor& p : parameters_) gradients.push_back(p.grad());
    if (skip.defined()) {
      at::_foreach_add_(steps_, 1 - skip);
    } else {
      at::_foreach_add_(steps_, 1);
    }
    at::_fused_adamw_(parameters_, gradients, means_, squares_, /*max_exp_avg_sqs=*/{}, steps_, lr,
                      options_.beta1, options_.beta2, options_.weight_decay, options_.eps,
                      /*amsgrad=*/false, /*maximize=*/false, /*grad_scale=*/{},
                      skip.defined() ? std::optional(skip) : std::nullopt);
  }

  std::vector<Slot> State() const override {
    return {{"step", steps_}, {"exp_avg", means_}, {"exp_avg_sq", squares_}};
  }

  std::vector<std::pair<std::string, std::vector<double>>> Constants() const override {
    return {{"betas", {options_.beta1, options_.beta2}},
            {"eps", {options_.eps}},
            {"weight_decay", {options_.weight_decay}}};
  }

 private:
  const AdamWOptions options_;
  std::vector<at::Tensor> parameters_, steps_, means_, squares_;
};

absl::StatusOr<std::unique_ptr<Optimizer>> MakeAdamW(const AdamWOptions& options,
                                                     const std::vector<at::Tensor>& parameters) {
  return std::make_unique<AdamW>(options, parameters);
}

REGISTER_PLUGIN(Optimizers, "adamw", "Adam with decoupled weight decay", AdamWOptions, MakeAdamW);

}  // namespace
}  // namespace moco
