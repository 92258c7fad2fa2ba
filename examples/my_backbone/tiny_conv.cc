// A few plain convolutions, each of which halves the resolution.
#include <torch/nn/modules/conv.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "moco/backbones/backbone.h"
#include "moco/backbones/batch_norm.h"
#include "registry/registry.h"

namespace my {
namespace {

struct TinyConvOptions {
  int64_t width = 16;
  int64_t layers = 3;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("width", width, "channels of the first layer; each layer doubles them",
      registry::Between(1, 256));
    v("layers", layers, "convolutions, each of stride 2", registry::Between(1, 6));
  }
};

class TinyConv : public moco::Backbone {
 public:
  TinyConv(const TinyConvOptions& options, const moco::BackboneContext& context) {
    for (int64_t i = 0; i < options.layers; ++i) {
      const int64_t in = channels_;
      channels_ = i == 0 ? options.width : 2 * in;
      const std::string number = std::to_string(i + 1);
      convs_.push_back(register_module(
          "conv" + number,
          torch::nn::Conv2d(
              torch::nn::Conv2dOptions(in, channels_, 3).stride(2).padding(1).bias(false))));
      // Unlike torch::nn::BatchNorm2d, this one has split batch normalisation.
      norms_.push_back(register_module(
          "bn" + number, std::make_shared<moco::BatchNorm2d>(channels_, context.bn_splits)));
    }
  }

  at::Tensor forward(const at::Tensor& images) override {
    at::Tensor x = images;  // N x 3 x H x W
    for (size_t i = 0; i < convs_.size(); ++i) x = norms_[i]->Relu(convs_[i]->forward(x));
    return x.mean({2, 3});  // N x channels
  }

  int64_t feature_dim() const override { return channels_; }

 private:
  int64_t channels_ = 3;  // of the last layer made; at first, of the images
  std::vector<torch::nn::Conv2d> convs_;
  std::vector<std::shared_ptr<moco::BatchNorm2d>> norms_;
};

absl::StatusOr<std::unique_ptr<moco::Backbone>> MakeTinyConv(const TinyConvOptions& options,
                                                             const moco::BackboneContext& context) {
  return std::make_unique<TinyConv>(options, context);
}

REGISTER_PLUGIN(moco::Backbones, "tiny_conv", "a few plain convolutions", TinyConvOptions,
                MakeTinyConv);

}  // namespace
}  // namespace my
