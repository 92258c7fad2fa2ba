// The head of MoCo v2: fc = Linear(d, d), ReLU, Linear(d, dim), named fc.0 and fc.2.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/zeros.h>
#include <torch/nn/modules/linear.h>

#include "moco/heads/head.h"

namespace moco {
namespace {

struct MlpOptions {
  int64_t dim = 128;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("dim", dim, "dimension of the output vectors", registry::AtLeast(1));
  }
};

class Mlp : public Head {
 public:
  // The reference makes the last layer with the network, and inserts the hidden layer once both
  // encoders exist; the random numbers of the hidden layer are therefore drawn later, in
  // Initialize.
  Mlp(int64_t in, int64_t out)
      : hidden_(register_module("0", std::make_shared<Hidden>(in))),
        last_(register_module("2", torch::nn::Linear(in, out))),
        dim_(out) {}

  void Initialize() override {
    const torch::nn::Linear drawn(hidden_->weight.size(0), hidden_->weight.size(0));
    at::NoGradGuard no_grad;
    hidden_->weight.copy_(drawn->weight);
    hidden_->bias.copy_(drawn->bias);
  }

  at::Tensor forward(const at::Tensor& features) override {
    return last_->forward(at::linear(features, hidden_->weight, hidden_->bias).relu_());
  }
  int64_t dim() const override { return dim_; }

 private:
  struct Hidden : torch::nn::Module {
    explicit Hidden(int64_t width)
        : weight(register_parameter("weight", at::zeros({width, width}))),
          bias(register_parameter("bias", at::zeros({width}))) {}
    at::Tensor weight, bias;
  };
  std::shared_ptr<Hidden> hidden_;
  torch::nn::Linear last_;
  int64_t dim_;
};

absl::StatusOr<std::unique_ptr<Head>> MakeMlp(const MlpOptions& options, int64_t feature_dim) {
  return std::make_unique<Mlp>(feature_dim, options.dim);
}

REGISTER_PLUGIN(Heads, "mlp", "two linear layers with a ReLU in between (MoCo v2)", MlpOptions,
                MakeMlp);

}  // namespace
}  // namespace moco
