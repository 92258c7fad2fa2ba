// LARS (You, Gitman and Ginsburg, "Large batch training of convolutional networks", 2017), as in
// facebookresearch/moco-v3, moco/optimizer.py: g += wd p; g *= trust |p| / |g|; v = m v + g;
// p -= lr v. Parameters of one dimension (biases and batch normalisation) have neither weight decay
// nor the ratio of norms. The ratio is also omitted if the parameter or its gradient is zero.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include "moco/optimizers/optimizer.h"

namespace moco {
namespace {

struct LarsOptions {
  double momentum = 0.9;
  double weight_decay = 1e-6;
  double trust = 0.001;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("momentum", momentum, "factor of the previous update", registry::Between(0, 1));
    v("weight_decay", weight_decay, "L2 penalty on parameters of two or more dimensions",
      registry::AtLeast(0));
    v("trust", trust,
      "trust coefficient: norm of the scaled gradient, relative to that of the parameter",
      registry::Positive());
  }
};

class Lars : public Optimizer {
 public:
  Lars(const LarsOptions& options, const std::vector<at::Tensor>& parameters)
      : options_(options), parameters_(parameters) {
    for (const at::Tensor& p : parameters_) velocity_.push_back(at::zeros_like(p).detach());
  }

  void Step(double lr, const at::Tensor& skip) override {
    at::NoGradGuard no_grad;
    std::vector<at::Tensor> scaled;
    for (size_t i = 0; i < parameters_.size(); ++i) {
      const at::Tensor& p = parameters_[i];
      at::Tensor g = p.grad();
      if (p.dim() > 1) {
        g = g.add(p, options_.weight_decay);
        const at::Tensor weight = at::linalg_vector_norm(p), update = at::linalg_vector_norm(g);
        const at::Tensor none = (weight == 0).logical_or(update == 0);
        g = g.mul(at::where(none, 1, options_.trust * weight / update));
      }
      if (skip.defined()) {
        scaled.push_back(g);
        continue;
      }
      velocity_[i].mul_(options_.momentum).add_(g);
      at::Tensor(p).add_(velocity_[i], -lr);
    }
    if (skip.defined()) {
      at::_fused_sgd_(parameters_, scaled,
                      options_.momentum > 0 ? at::TensorList(velocity_) : at::TensorList(),
                      /*weight_decay=*/0, options_.momentum, lr, /*dampening=*/0,
                      /*nesterov=*/false, /*maximize=*/false, /*is_first_step=*/false,
                      /*grad_scale=*/{}, skip);
    }
  }

  std::vector<Slot> State() const override { return {{"mu", velocity_}}; }

  std::vector<std::pair<std::string, std::vector<double>>> Constants() const override {
    return {{"momentum", {options_.momentum}},
            {"weight_decay", {options_.weight_decay}},
            {"trust_coefficient", {options_.trust}}};
  }

 private:
  const LarsOptions options_;
  std::vector<at::Tensor> parameters_, velocity_;
};

absl::StatusOr<std::unique_ptr<Optimizer>> MakeLars(const LarsOptions& options,
                                                    const std::vector<at::Tensor>& parameters) {
  return std::make_unique<Lars>(options, parameters);
}

REGISTER_PLUGIN(Optimizers, "lars",
                "gradient descent with layer-wise adaptive rates, for large batches", LarsOptions,
                MakeLars);

}  // namespace
}  // namespace moco
