#include "moco/backbones/resnet.h"

#include <ATen/ops/max_pool2d.h>
#include <torch/nn/init.h>

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "moco/backbones/batch_norm.h"
#include "moco/backbones/convolution.h"
#include "moco/backbones/resnet_shapes.h"

namespace moco {
namespace {

namespace nn = torch::nn;

Conv2d Conv(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t groups = 1) {
  return Conv2d(nn::Conv2dOptions(in, out, kernel)
                    .stride(stride)
                    .padding(kernel / 2)
                    .groups(groups)
                    .bias(false));
}

// Modules registered as 0, 1, ..., the names of torch.nn.Sequential.
class Numbered : public nn::Module {
 public:
  template <class M>
  M Add(M module) {
    return register_module(absl::StrCat(children().size()), std::move(module));
  }
};

// The 1x1 convolution that fits the identity to a block's output.
class Downsample : public Numbered {
 public:
  Downsample(int64_t in, int64_t out, int64_t stride, int64_t splits)
      : subsampling_(in < kSafeChannels ? stride : 1),
        conv_(Add(Conv(in, out, 1, stride / subsampling_))),
        bn_(Add(std::make_shared<BatchNorm2d>(out, splits))) {}

  at::Tensor forward(const at::Tensor& x) {
    if (subsampling_ == 1) return bn_->forward(conv_->forward(x));
    return bn_->forward(conv_->forward(
        x.slice(2, 0, std::nullopt, subsampling_).slice(3, 0, std::nullopt, subsampling_)));
  }

 private:
  // With fewer input channels, the kernels by which oneDNN (of LibTorch 2.11) computes the weight
  // gradient of a 1x1 convolution with a stride access memory that is not theirs: on AVX2
  // (jit_avx2_1x1_convolution_bwd_weights) with fewer than 8, on AVX-512 with 8. With a stride of 1
  // they do not, so the pixels are selected first.
  static constexpr int64_t kSafeChannels = 16;

  const int64_t subsampling_;
  Conv2d conv_;
  std::shared_ptr<BatchNorm2d> bn_;
};

// relu(bn(conv(... relu(bn(conv(x))))) + identity).
class Block : public nn::Module {
 public:
  struct Layer {
    int64_t out, kernel, stride, groups = 1;
  };
  Block(int64_t in, const std::vector<Layer>& layers, std::shared_ptr<Downsample> downsample,
        int64_t splits) {
    for (const Layer& layer : layers) {
      const std::string number = absl::StrCat(convs_.size() + 1);
      convs_.push_back(register_module(
          "conv" + number, Conv(in, layer.out, layer.kernel, layer.stride, layer.groups)));
      bns_.push_back(
          register_module("bn" + number, std::make_shared<BatchNorm2d>(layer.out, splits)));
      in = layer.out;
    }
    if (downsample) downsample_ = register_module("downsample", std::move(downsample));
  }

  at::Tensor forward(const at::Tensor& x) {
    at::Tensor y = x;
    for (size_t i = 0; i + 1 < convs_.size(); ++i) y = bns_[i]->Relu(convs_[i]->forward(y));
    const at::Tensor identity = downsample_ ? downsample_->forward(x) : x;
    return bns_.back()->AddRelu(convs_.back()->forward(y), identity);
  }

 private:
  std::vector<Conv2d> convs_;
  std::vector<std::shared_ptr<BatchNorm2d>> bns_;
  std::shared_ptr<Downsample> downsample_;
};

class ResNet : public Backbone {
 public:
  ResNet(const ResNetShape& shape, const BackboneContext& context)
      : stem_(StemOf(shape.stem)), stages_(shape.blocks.size()) {
    const int64_t splits = context.bn_splits;
    conv1_ =
        register_module("conv1", Conv2d(nn::Conv2dOptions(shape.channels, shape.width, stem_.kernel)
                                            .stride(stem_.stride)
                                            .padding(stem_.padding)
                                            .bias(false)));
    bn1_ = register_module("bn1", std::make_shared<BatchNorm2d>(shape.width, splits));
    channels_ = shape.width;
    int64_t width = shape.width;
    for (size_t stage = 0; stage < shape.blocks.size(); ++stage, width *= 2) {
      auto layer = std::make_shared<Numbered>();
      for (int64_t b = 0; b < shape.blocks[stage]; ++b) {
        const int64_t stride = stage > 0 && b == 0 ? 2 : 1;
        stages_[stage].push_back(layer->Add(MakeBlock(shape, width, stride, splits)));
      }
      register_module(absl::StrCat("layer", stage + 1), std::move(layer));
    }
  }

  void Initialize() override {
    for (const auto& module : modules(/*include_self=*/false)) {
      if (auto* conv = module->as<nn::Conv2dImpl>()) {
        nn::init::kaiming_normal_(conv->weight, 0, torch::kFanOut, torch::kReLU);
      }
    }
  }

  at::Tensor forward(const at::Tensor& images) override {
    at::Tensor x = Stem(images);
    for (const auto& stage : stages_) x = Stage(stage, std::move(x));
    return Pool(x);
  }

  std::vector<at::Tensor> Stages(const at::Tensor& images) override {
    at::Tensor x = Stem(images);
    std::vector<at::Tensor> pooled;
    for (const auto& stage : stages_) {
      x = Stage(stage, std::move(x));
      pooled.push_back(Pool(x));
    }
    return pooled;
  }

  int64_t feature_dim() const override { return channels_; }

 private:
  using Blocks = std::vector<std::shared_ptr<Block>>;

  at::Tensor Stem(const at::Tensor& images) {
    at::Tensor x = conv1_->forward(images);
    x = stem_.relu ? bn1_->Relu(std::move(x)) : bn1_->forward(std::move(x));
    return stem_.pool ? at::max_pool2d(x, /*kernel_size=*/3, /*stride=*/2, /*padding=*/1) : x;
  }

  static at::Tensor Stage(const Blocks& blocks, at::Tensor x) {
    for (const auto& block : blocks) x = block->forward(x);
    return x;
  }

  static at::Tensor Pool(const at::Tensor& x) { return x.mean({2, 3}); }  // global, the average

  // Makes the modules in torchvision's order (downsample first): the order draws the random
  // numbers.
  std::shared_ptr<Block> MakeBlock(const ResNetShape& shape, int64_t width, int64_t stride,
                                   int64_t splits) {
    const int64_t in = channels_, out = shape.bottleneck ? 4 * width : width;
    std::shared_ptr<Downsample> downsample;
    if (stride != 1 || in != out) {
      downsample = std::make_shared<Downsample>(in, out, stride, splits);
    }
    channels_ = out;
    std::vector<Block::Layer> layers = {{width, 3, stride}, {width, 3, 1}};
    if (shape.bottleneck) {
      const int64_t inner = width * shape.width_per_group / 64 * shape.groups;
      layers = {{inner, 1, 1}, {inner, 3, stride, shape.groups}, {out, 1, 1}};
    }
    return std::make_shared<Block>(in, layers, std::move(downsample), splits);
  }

  const ResNetStem stem_;
  int64_t channels_ = 0;  // of the last block made
  Conv2d conv1_{nullptr};
  std::shared_ptr<BatchNorm2d> bn1_;
  std::vector<Blocks> stages_;
};

// The values of the option `stem`, as registry::OneOf takes them.
std::vector<std::string> StemNames() {
  std::vector<std::string> names;
  for (const ResNetStem& stem : kResNetStems) names.push_back(stem.name);
  return names;
}

const char* StemHelp() {
  static const std::string& text = *new std::string([] {
    std::string help = "first layers";
    for (const ResNetStem& stem : kResNetStems) {
      absl::StrAppend(&help, "; ", stem.name, ": ", stem.what);
    }
    return help;
  }());
  return text.c_str();
}

template <class Visitor>
void VisitStem(Visitor& v, std::string& stem, int64_t& channels) {
  v("stem", stem, StemHelp(), registry::OneOf(StemNames()));
  v("channels", channels,
    "channels of the images: 1 grey, 3 colour, 2 or 4 with alpha, or as many as they store",
    registry::Between(1, 64));
}

struct StemOption {
  std::string stem = "imagenet";
  int64_t channels = 3;
  template <class Visitor>
  void Visit(Visitor& v) {
    VisitStem(v, stem, channels);
  }
};

template <const TorchvisionResNet& kNet>
absl::StatusOr<std::unique_ptr<Backbone>> MakeTorchvision(const StemOption& options,
                                                          const BackboneContext& context) {
  return MakeResNet({.bottleneck = kNet.bottleneck,
                     .blocks = {kNet.blocks.begin(), kNet.blocks.end()},
                     .groups = kNet.groups,
                     .width_per_group = kNet.width_per_group,
                     .stem = options.stem,
                     .channels = options.channels},
                    context);
}

constexpr auto MakeResNet18 = MakeTorchvision<kResNet18>;
constexpr auto MakeResNet34 = MakeTorchvision<kResNet34>;
constexpr auto MakeResNet50 = MakeTorchvision<kResNet50>;
constexpr auto MakeResNet101 = MakeTorchvision<kResNet101>;
constexpr auto MakeResNet152 = MakeTorchvision<kResNet152>;
constexpr auto MakeResNeXt50_32x4d = MakeTorchvision<kResNeXt50_32x4d>;
constexpr auto MakeResNeXt101_32x8d = MakeTorchvision<kResNeXt101_32x8d>;
constexpr auto MakeResNeXt101_64x4d = MakeTorchvision<kResNeXt101_64x4d>;
constexpr auto MakeWideResNet50_2 = MakeTorchvision<kWideResNet50_2>;
constexpr auto MakeWideResNet101_2 = MakeTorchvision<kWideResNet101_2>;

struct SmallOptions {
  int64_t width = 16;
  int64_t blocks = 2;
  int64_t stages = 4;
  std::string stem = "cifar";
  int64_t channels = 3;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("width", width, "channels of the first stage; each stage doubles them",
      registry::Between(1, 1024));
    v("blocks", blocks, "blocks per stage, each of two 3x3 convolutions",
      registry::Between(1, 100));
    v("stages", stages, "number of stages; each after the first halves the resolution",
      registry::Between(1, 5));
    VisitStem(v, stem, channels);
  }
};

absl::StatusOr<std::unique_ptr<Backbone>> MakeSmall(const SmallOptions& options,
                                                    const BackboneContext& context) {
  return MakeResNet({.blocks = std::vector<int64_t>(options.stages, options.blocks),
                     .width = options.width,
                     .stem = options.stem,
                     .channels = options.channels},
                    context);
}

REGISTER_PLUGIN(Backbones, kResNet18.name, kResNet18.summary, StemOption, MakeResNet18);
REGISTER_PLUGIN(Backbones, kResNet34.name, kResNet34.summary, StemOption, MakeResNet34);
REGISTER_PLUGIN(Backbones, kResNet50.name, kResNet50.summary, StemOption, MakeResNet50);
REGISTER_PLUGIN(Backbones, kResNet101.name, kResNet101.summary, StemOption, MakeResNet101);
REGISTER_PLUGIN(Backbones, kResNet152.name, kResNet152.summary, StemOption, MakeResNet152);
REGISTER_PLUGIN(Backbones, kResNeXt50_32x4d.name, kResNeXt50_32x4d.summary, StemOption,
                MakeResNeXt50_32x4d);
REGISTER_PLUGIN(Backbones, kResNeXt101_32x8d.name, kResNeXt101_32x8d.summary, StemOption,
                MakeResNeXt101_32x8d);
REGISTER_PLUGIN(Backbones, kResNeXt101_64x4d.name, kResNeXt101_64x4d.summary, StemOption,
                MakeResNeXt101_64x4d);
REGISTER_PLUGIN(Backbones, kWideResNet50_2.name, kWideResNet50_2.summary, StemOption,
                MakeWideResNet50_2);
REGISTER_PLUGIN(Backbones, kWideResNet101_2.name, kWideResNet101_2.summary, StemOption,
                MakeWideResNet101_2);
REGISTER_PLUGIN(Backbones, "resnet_small",
                "a narrow ResNet for small images, to be trained on CPUs", SmallOptions, MakeSmall);

}  // namespace

std::unique_ptr<Backbone> MakeResNet(const ResNetShape& shape, const BackboneContext& context) {
  return std::make_unique<ResNet>(shape, context);
}

}  // namespace moco
