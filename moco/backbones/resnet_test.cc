// torchvision's names, shapes and sizes. The contract of all backbones is in backbone_contract.cc.
#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "moco/backbones/backbone.h"
#include "moco/checkpoints/state_dict.h"

namespace moco {
namespace {

StateDict State(const std::string& spec) {
  const std::shared_ptr<Backbone> backbone = Backbones().Create(spec, {}).value();
  return GetState(*backbone);
}

struct Size {
  int64_t entries, parameters, feature_dim;
};

TEST(ResNetTest, HasTorchvisionsSizes) {
  // Of torchvision.models, without fc.
  const std::map<std::string, Size> sizes = {
      {"resnet18", {120, 11176512, 512}},          {"resnet34", {216, 21284672, 512}},
      {"resnet50", {318, 23508032, 2048}},         {"resnet101", {624, 42500160, 2048}},
      {"resnet152", {930, 58143808, 2048}},        {"resnext50_32x4d", {318, 22979904, 2048}},
      {"resnext101_32x8d", {624, 86742336, 2048}}, {"resnext101_64x4d", {624, 81406272, 2048}},
      {"wide_resnet50_2", {318, 66834240, 2048}},  {"wide_resnet101_2", {624, 124837696, 2048}}};
  for (const auto& [spec, size] : sizes) {
    const std::shared_ptr<Backbone> backbone = Backbones().Create(spec, {}).value();
    int64_t parameters = 0;
    for (const at::Tensor& p : backbone->parameters()) parameters += p.numel();
    EXPECT_EQ(parameters, size.parameters) << spec;
    EXPECT_EQ(GetState(*backbone).size(), size.entries) << spec;
    EXPECT_EQ(backbone->feature_dim(), size.feature_dim) << spec;
  }
}

TEST(ResNetTest, HasTorchvisionsNamesInItsOrder) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : State("resnet18")) names.push_back(name);
  const auto bn = [](const std::string& name) {
    return std::vector<std::string>{name + ".weight", name + ".bias", name + ".running_mean",
                                    name + ".running_var", name + ".num_batches_tracked"};
  };
  std::vector<std::string> expected;
  const auto add = [&](const std::string& conv, const std::string& norm) {
    expected.push_back(conv + ".weight");
    for (const std::string& name : bn(norm)) expected.push_back(name);
  };
  add("conv1", "bn1");
  for (const std::string layer : {"layer1", "layer2", "layer3", "layer4"}) {
    for (const std::string block : {".0", ".1"}) {
      add(layer + block + ".conv1", layer + block + ".bn1");
      add(layer + block + ".conv2", layer + block + ".bn2");
      if (layer != "layer1" && block == ".0") {
        add(layer + block + ".downsample.0", layer + block + ".downsample.1");
      }
    }
  }
  EXPECT_EQ(names, expected);
}

TEST(ResNetTest, AStageIsWhatTheNetworkWithoutTheLaterOnesGives) {
  at::NoGradGuard no_grad;
  at::manual_seed(2);
  const std::string spec = "resnet_small:width=4,blocks=1,stages=";
  const std::shared_ptr<Backbone> whole = Backbones().Create(spec + "3", {}).value();
  whole->Initialize();
  whole->eval();
  const at::Tensor images = at::randn({2, 3, 16, 16}).contiguous(at::MemoryFormat::ChannelsLast);
  const std::vector<at::Tensor> stages = whole->Stages(images);
  ASSERT_EQ(stages.size(), 3);
  for (int n = 1; n <= 3; ++n) {
    const std::shared_ptr<Backbone> part = Backbones().Create(absl::StrCat(spec, n), {}).value();
    part->eval();
    StateDict own = GetState(*part), from;
    for (const auto& [name, tensor] : GetState(*whole)) {
      const bool has = std::any_of(own.begin(), own.end(),
                                   [&, n = name](const auto& entry) { return entry.first == n; });
      if (has) from.emplace_back(name, tensor);
    }
    ASSERT_TRUE(CopyState(from, own).ok());
    EXPECT_TRUE(stages[n - 1].equal(part->forward(images))) << "stage " << n;
  }
}

// In float32 a kernel of oneDNN may compute the convolutions, in float64 none does. Narrow networks
// once had ones that wrote past their memory, which glibc notices when the blocks beside it are
// freed, or crashed with larger images.
TEST(ResNetTest, NarrowNetworksHaveTheGradientsOfDoublePrecision) {
  for (int width = 1; width <= 8; ++width) {
    SCOPED_TRACE(width);
    at::manual_seed(width);
    const std::string spec = absl::StrCat("resnet_small:blocks=1,stages=3,width=", width);
    const std::shared_ptr<Backbone> single = Backbones().Create(spec, {}).value(),
                                    twice = Backbones().Create(spec, {}).value();
    single->Initialize();
    twice->to(at::kDouble);
    ASSERT_TRUE(CopyState(GetState(*single), GetState(*twice)).ok());
    for (const int64_t size : {16, 64, 64}) {
      const at::Tensor images =
          at::randn({4, 3, size, size}).contiguous(at::MemoryFormat::ChannelsLast);
      single->zero_grad();
      twice->zero_grad();
      single->forward(images).square().sum().backward();
      twice->forward(images.to(at::kDouble)).square().sum().backward();
    }
    // A small gradient is a sum of terms that cancel, of the size of the larger gradients.
    double largest = 0;
    for (const at::Tensor& parameter : twice->parameters()) {
      largest = std::max(largest, parameter.grad().abs().max().item<double>());
    }
    for (const auto& parameter : single->named_parameters()) {
      const at::Tensor expected = twice->named_parameters()[parameter.key()].grad();
      const double scale = expected.abs().max().item<double>();
      EXPECT_LT((parameter.value().grad() - expected).abs().max().item<double>(),
                1e-3 * scale + 1e-5 * largest)
          << parameter.key();
    }
  }
}

TEST(ResNetTest, StemAndWidthAreOptions) {
  const auto shape = [](const std::string& spec, const std::string& name) {
    for (const auto& [key, tensor] : State(spec)) {
      if (key == name) return tensor.sizes().vec();
    }
    return std::vector<int64_t>();
  };
  using ::testing::ElementsAre;
  EXPECT_THAT(shape("resnet18", "conv1.weight"), ElementsAre(64, 3, 7, 7));
  EXPECT_THAT(shape("resnet18:stem=cifar", "conv1.weight"), ElementsAre(64, 3, 3, 3));
  EXPECT_THAT(shape("resnet18:channels=1", "conv1.weight"), ElementsAre(64, 1, 7, 7));
  EXPECT_EQ(ImageChannels("resnet18:channels=1").value(), 1);
  EXPECT_EQ(ImageChannels("resnet18").value(), 3);
  EXPECT_FALSE(ImageChannels("resnet19").ok());
  EXPECT_THAT(shape("resnet50", "layer4.2.conv3.weight"), ElementsAre(2048, 512, 1, 1));
  EXPECT_THAT(shape("resnet_small:width=8,blocks=1,stages=3", "layer3.0.conv2.weight"),
              ElementsAre(32, 32, 3, 3));
  EXPECT_EQ(Backbones().Create("resnet18:stem=mnist", {}).status().message(),
            "resnet18: option 'stem' is 'mnist', must be imagenet or cifar or cifar_padded or "
            "cifar_linear");
}

// The same weights behind each of the stems that no shape tells apart.
TEST(ResNetTest, SmallStemsDifferInPaddingAndReLU) {
  at::NoGradGuard no_grad;
  const auto make = [](const std::string& stem) {
    std::shared_ptr<Backbone> net =
        Backbones().Create("resnet_small:width=4,blocks=1,stages=2,stem=" + stem, {}).value();
    net->eval();
    return net;
  };
  const auto cifar = make("cifar"), padded = make("cifar_padded"), linear = make("cifar_linear");
  cifar->Initialize();
  for (const auto& other : {padded, linear}) {
    ASSERT_TRUE(CopyState(GetState(*cifar), GetState(*other)).ok());
  }
  const at::Tensor images = at::randn({2, 3, 12, 12});
  // A padding of 2 is that of 1 around a border of zeros.
  const at::Tensor bordered = at::constant_pad_nd(images, {1, 1, 1, 1});
  EXPECT_TRUE(padded->forward(images).allclose(cifar->forward(bordered), 1e-5, 1e-6));
  EXPECT_FALSE(padded->forward(images).allclose(cifar->forward(images), 1e-2));
  // Without negative values the first ReLU changes nothing; otherwise it does.
  EXPECT_FALSE(linear->forward(images).allclose(cifar->forward(images), 1e-2));
  for (const auto& net : {cifar, linear}) {
    for (const auto& [name, tensor] : GetState(*net)) {
      if (name == "bn1.bias") at::Tensor(tensor).fill_(100);
    }
  }
  EXPECT_TRUE(linear->forward(images).allclose(cifar->forward(images), 1e-5, 1e-6));
}

}  // namespace
}  // namespace moco
