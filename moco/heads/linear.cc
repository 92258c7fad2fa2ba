// The head of MoCo v1: one linear layer, named fc.weight and fc.bias.
#include <ATen/ops/linear.h>
#include <torch/nn/modules/linear.h>

#include "moco/heads/head.h"

namespace moco {
namespace {

struct LinearOptions {
  int64_t dim = 128;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("dim", dim, "dimension of the output vectors", registry::AtLeast(1));
  }
};

class Linear : public Head {
 public:
  Linear(int64_t in, int64_t out) {
    // Initial values as torch.nn.Linear, but without a module name in between.
    const torch::nn::Linear linear(in, out);
    weight_ = register_parameter("weight", linear->weight.detach());
    bias_ = register_parameter("bias", linear->bias.detach());
  }
  at::Tensor forward(const at::Tensor& features) override {
    return at::linear(features, weight_, bias_);
  }
  int64_t dim() const override { return weight_.size(0); }

 private:
  at::Tensor weight_, bias_;
};

absl::StatusOr<std::unique_ptr<Head>> MakeLinear(const LinearOptions& options,
                                                 int64_t feature_dim) {
  return std::make_unique<Linear>(feature_dim, options.dim);
}

REGISTER_PLUGIN(Heads, "linear", "one linear layer (MoCo v1)", LinearOptions, MakeLinear);

}  // namespace
}  // namespace moco
