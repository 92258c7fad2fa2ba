#include "moco/checkpoints/find_encoder.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/conv.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "moco/backbones/backbone.h"
#include "moco/checkpoints/encoder_names.h"

namespace moco {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kSpec[] = "resnet_small:width=4,blocks=1,stages=2,stem=cifar,channels=3";
constexpr char kBottlenecks[] = "resnet50:stem=imagenet,channels=3";

at::Tensor Images() {
  return at::randn({2, 3, 32, 32}, at::detail::createCPUGenerator(1), at::TensorOptions(at::kFloat))
      .contiguous(at::MemoryFormat::ChannelsLast);
}

// A network whose running statistics are not the initial ones.
std::shared_ptr<Backbone> Network(const std::string& spec) {
  std::shared_ptr<Backbone> backbone = Backbones().Create(spec, BackboneContext{}).value();
  backbone->Initialize();
  backbone->forward(Images());
  backbone->eval();
  return backbone;
}

StateDict Below(const StateDict& state, const std::string& prefix,
                const std::function<std::string(std::string)>& rename) {
  StateDict renamed;
  for (const auto& [name, tensor] : state) renamed.emplace_back(prefix + rename(name), tensor);
  return renamed;
}

std::string Same(std::string name) { return name; }

Checkpoint Holding(StateDict state) {
  Checkpoint checkpoint;
  checkpoint.state = std::move(state);
  return checkpoint;
}

at::Tensor Features(Backbone& backbone) {
  at::NoGradGuard no_grad;
  return backbone.forward(Images());
}

// The weights may lie otherwise in memory, for which oneDNN may choose another kernel.
bool SameFeatures(Backbone& a, Backbone& b) {
  return Features(a).allclose(Features(b), /*rtol=*/1e-5, /*atol=*/1e-5);
}

void ExpectRefused(const Checkpoint& checkpoint, const EncoderChoice& choice,
                   const std::string& what) {
  const absl::Status status = FindEncoder(checkpoint, choice).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(what));
}

TEST(FindEncoderTest, BelowAnyPrefix) {
  const auto network = Network(kSpec);
  const StateDict state = GetState(*network);
  for (const char* prefix :
       {"", "module.", "encoder_q.", "module.encoder.", "backbone.", "module.backbone.",
        "_orig_mod.module.", "embedding_model.wrapped_model._features.", "net.model.resnet."}) {
    Checkpoint checkpoint = Holding(Below(state, prefix, Same));
    for (const char* other : {"projector.0.weight", "prototypes.weight", "queue", "fc.weight"}) {
      checkpoint.state.emplace_back(absl::StrCat(prefix, other), at::zeros({2, 8}));
    }
    const auto found = FindEncoder(checkpoint, {});
    ASSERT_TRUE(found.ok()) << prefix << ": " << found.status();
    EXPECT_EQ(found->spec, kSpec);
    EXPECT_EQ(found->prefix, prefix);
    EXPECT_TRUE(SameFeatures(*found->backbone, *network)) << prefix;
  }
}

// The names of other programs, for networks of both kinds of blocks.
TEST(FindEncoderTest, NamesOfOtherPrograms) {
  const auto children = [](std::vector<std::pair<std::string, std::string>> names) {
    return [names](std::string name) {
      for (const auto& [ours, theirs] : names) {
        if (absl::StartsWith(name, ours)) return theirs + name.substr(ours.size());
      }
      return "further." + name;
    };
  };
  const auto transformers = [](std::string name) -> std::string {
    if (absl::StartsWith(name, "conv1.")) return "embedder.embedder.convolution." + name.substr(6);
    if (absl::StartsWith(name, "bn1.")) return "embedder.embedder.normalization." + name.substr(4);
    std::vector<std::string> parts = absl::StrSplit(name, '.');
    int stage = 0, layer = 0;
    EXPECT_TRUE(absl::SimpleAtoi(parts[0].substr(5), &stage)) << name;
    const std::string block = absl::StrCat("encoder.stages.", stage - 1, ".layers.", parts[1], ".");
    if (parts[2] == "downsample") {
      return absl::StrCat(block, "shortcut.", parts[3] == "0" ? "convolution." : "normalization.",
                          parts[4]);
    }
    EXPECT_TRUE(absl::SimpleAtoi(parts[2].substr(parts[2].size() - 1), &layer)) << name;
    return absl::StrCat(block, "layer.", layer - 1,
                        parts[2][0] == 'c' ? ".convolution." : ".normalization.", parts[3]);
  };
  const auto detectron2 = [](std::string name) {
    if (absl::StartsWith(name, "conv1.")) return "stem." + name;
    if (absl::StartsWith(name, "bn1.")) return "stem.conv1.norm." + name.substr(4);
    return absl::StrReplaceAll(name, {{"layer1.", "res2."},
                                      {"layer2.", "res3."},
                                      {"layer3.", "res4."},
                                      {"layer4.", "res5."},
                                      {"bn1.", "conv1.norm."},
                                      {"bn2.", "conv2.norm."},
                                      {"bn3.", "conv3.norm."},
                                      {"downsample.0.", "shortcut."},
                                      {"downsample.1.", "shortcut.norm."}});
  };
  for (const std::string spec : {kSpec, kBottlenecks}) {
    const auto network = Network(spec);
    for (const auto& rename :
         std::vector<std::function<std::string(std::string)>>{children({{"conv1.", "0."},
                                                                        {"bn1.", "1."},
                                                                        {"layer1.", "4."},
                                                                        {"layer2.", "5."},
                                                                        {"layer3.", "6."},
                                                                        {"layer4.", "7."}}),
                                                              transformers, detectron2}) {
      for (const char* prefix : {"", "resnet18_parameters.", "model.backbone."}) {
        const auto found = FindEncoder(Holding(Below(GetState(*network), prefix, rename)), {});
        ASSERT_TRUE(found.ok()) << found.status();
        EXPECT_EQ(found->spec, spec);
        EXPECT_TRUE(SameFeatures(*found->backbone, *network));
      }
    }
  }
}

// A Sequential of the children of lightly's own ResNet does not call the ReLU of its forward().
TEST(FindEncoderTest, LightlysChildrenHaveNoFirstReLU) {
  // Of four stages: the fifth child is a stage of torchvision's children, too.
  const std::string spec = "resnet_small:width=4,blocks=1,stages=4,stem=cifar,channels=3";
  const auto network = Network(absl::StrReplaceAll(spec, {{"stem=cifar", "stem=cifar_linear"}}));
  const auto rename = [](std::string name) {
    return absl::StrReplaceAll(
        absl::StrCat(".", name),
        {{".conv1.weight", absl::StartsWith(name, "conv1") ? ".0.weight" : ".conv1.weight"},
         {".layer1.", ".2."},
         {".layer2.", ".3."},
         {".layer3.", ".4."},
         {".layer4.", ".5."},
         {"downsample", "shortcut"}});
  };
  StateDict state;
  for (const auto& [name, tensor] : GetState(*network)) {
    std::string theirs = absl::StartsWith(name, "bn1.") ? ".1." + name.substr(4) : rename(name);
    state.emplace_back("backbone" + theirs, tensor);
  }
  const auto found = FindEncoder(Holding(state), {});
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_THAT(found->spec, HasSubstr("stem=cifar_linear"));
  EXPECT_TRUE(SameFeatures(*found->backbone, *network));
  ExpectRefused(Holding(state), {.arch = spec}, "stem=cifar_linear");
  Checkpoint named = Holding(state);
  named.arch = spec;
  ExpectRefused(named, {}, "stem=cifar_linear");

  // The same network with names of its own has one.
  StateDict whole;
  for (const auto& [name, tensor] : GetState(*network)) {
    whole.emplace_back("backbone." + absl::StrReplaceAll(name, {{"downsample", "shortcut"}}),
                       tensor);
  }
  EXPECT_EQ(FindEncoder(Holding(whole), {}).value().spec, spec);

  // Split batch normalisation has statistics for each part; the mean counts.
  for (auto& [name, tensor] : state) {
    if (absl::StrContains(name, "running")) tensor = at::cat({tensor - 0.01, tensor + 0.01});
  }
  const auto split = FindEncoder(Holding(state), {});
  ASSERT_TRUE(split.ok()) << split.status();
  EXPECT_TRUE(Features(*split->backbone).allclose(Features(*network), 1e-5, 1e-6));
}

// The CIFAR demo of MoCo and many since leave the pooling out of the Sequential, so that the first
// stage is the fourth child; thop adds two numbers to each layer.
TEST(FindEncoderTest, ChildrenWithoutPooling) {
  const std::string spec = "resnet_small:width=4,blocks=1,stages=4,stem=cifar,channels=3";
  const auto children = [](const Backbone& network) {
    StateDict state;
    for (const auto& [name, tensor] : GetState(network)) {
      const size_t dot = name.find('.');
      const int stage = name[dot - 1] - '0';
      const int child = absl::StartsWith(name, "conv1.") ? 0
                        : absl::StartsWith(name, "bn1.") ? 1
                                                         : stage + 2;
      state.emplace_back(absl::StrCat("encoder_q.net.", child, name.substr(dot)), tensor);
    }
    return state;
  };
  const auto network = Network(spec);
  StateDict state = children(*network);
  for (const char* name : {"total_ops", "3.total_params", "3.0.conv1.total_ops", "9.total_ops"}) {
    state.emplace_back(absl::StrCat("encoder_q.net.", name), at::zeros({1}));
  }
  const auto found = FindEncoder(Holding(state), {});
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->spec, spec);
  EXPECT_TRUE(SameFeatures(*found->backbone, *network));
  // The padding is not shown, the pooling is.
  EXPECT_THAT(found->note, HasSubstr("cifar_padded"));
  const std::string padded = absl::StrReplaceAll(spec, {{"=cifar,", "=cifar_padded,"}});
  EXPECT_EQ(FindEncoder(Holding(state), {.arch = padded}).value().spec, padded);
  ExpectRefused(Holding(children(*Network("resnet18"))), {}, "without pooling");
}

// torch.compile, FSDP and checkpointing of single stages or blocks.
TEST(FindEncoderTest, WrappersInsideTheNetwork) {
  const auto network = Network(kSpec);
  for (const char* wrapper :
       {"_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module."}) {
    const auto rename = [&](std::string name) {
      return absl::StrReplaceAll(name, {{"layer1.", absl::StrCat("layer1.", wrapper)},
                                        {"layer2.0.", absl::StrCat("layer2.0.", wrapper)}});
    };
    const auto found = FindEncoder(Holding(Below(GetState(*network), wrapper, rename)), {});
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(found->prefix, wrapper);
    EXPECT_TRUE(SameFeatures(*found->backbone, *network));
  }
  // Only wrappers: the same names below a prefix are another network's.
  StateDict two = GetState(*network);
  for (const auto& [name, tensor] : GetState(*network)) {
    two.emplace_back("module." + name, at::zeros_like(tensor));
  }
  const auto found = FindEncoder(Holding(two), {});
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_TRUE(SameFeatures(*found->backbone, *network));
}

// solo-learn pads its 3x3 convolution by 2, which no shape shows.
TEST(FindEncoderTest, SoloLearnsPadding) {
  const StateDict state = GetState(*Network(kSpec));
  Checkpoint checkpoint = Holding(Below(state, "backbone.", Same));
  const auto plain = FindEncoder(checkpoint, {});
  EXPECT_EQ(plain.value().spec, kSpec);
  EXPECT_THAT(plain->note, HasSubstr("stem=cifar_padded"));
  const std::string padded = absl::StrReplaceAll(kSpec, {{"=cifar,", "=cifar_padded,"}});
  EXPECT_EQ(FindEncoder(checkpoint, {.arch = padded}).value().spec, padded);
  checkpoint.state.emplace_back("projector.0.weight", at::zeros({2, 8}));
  checkpoint.state.emplace_back("classifier.weight", at::zeros({2, 8}));
  EXPECT_EQ(FindEncoder(checkpoint, {}).value().spec, padded);
  EXPECT_EQ(FindEncoder(checkpoint, {.arch = kSpec}).value().spec, kSpec);
}

// A script of the user's may write a spec where others write a network's name. It says what no
// shape shows.
TEST(FindEncoderTest, ASpecAsTheNameOfTheNetworkIsTaken) {
  Checkpoint checkpoint = Holding(GetState(*Network(kSpec)));
  const std::string padded = absl::StrReplaceAll(kSpec, {{"=cifar,", "=cifar_padded,"}});
  checkpoint.arch = padded;
  const auto found = FindEncoder(checkpoint, {});
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->spec, padded);
  EXPECT_EQ(found->note, "");
  EXPECT_EQ(FindEncoder(checkpoint, {.arch = padded}).value().spec, padded);
  EXPECT_EQ(FindEncoder(checkpoint, {.arch = kSpec}).value().spec, kSpec);
  ExpectRefused(checkpoint, {.arch = "resnet18"}, "not 'resnet18");
}

TEST(FindEncoderTest, SeveralEncodersHaveAnOrder) {
  const StateDict state = GetState(*Network(kSpec));
  const auto taken = [&](std::vector<std::string> prefixes, const EncoderChoice& choice = {},
                         std::set<std::string> entries = {}) {
    Checkpoint checkpoint;
    checkpoint.entries = std::move(entries);
    for (const std::string& prefix : prefixes) {
      for (const auto& [name, tensor] : state) {
        checkpoint.state.emplace_back(prefix + name, tensor);
      }
    }
    const auto found = FindEncoder(checkpoint, choice);
    return found.ok() ? found->prefix : std::string(found.status().message());
  };
  EXPECT_EQ(taken({"encoder_k.", "encoder_q."}), "encoder_q.");
  EXPECT_EQ(taken({"momentum_backbone.", "backbone."}), "backbone.");
  EXPECT_EQ(taken({"target_encoder.net.", "online_encoder.net."}), "online_encoder.net.");
  EXPECT_EQ(taken({"student.module.backbone.", "teacher.backbone."}), "teacher.backbone.");
  EXPECT_EQ(taken({"teacher_backbone.", "backbone."}), "backbone.");
  EXPECT_EQ(taken({"", "state_dict_ema."}), "state_dict_ema.");
  EXPECT_EQ(taken({"", "model_ema.module."}), "model_ema.module.");
  EXPECT_EQ(taken({"", "ema_state_dict."}), "ema_state_dict.");
  EXPECT_EQ(taken({"", "ema_state_dict."}, {}, {"message_hub", "ema_state_dict"}), "");
  EXPECT_EQ(taken({"current_model_state.", ""}, {}, {"current_model_state"}), "");
  EXPECT_EQ(taken({"a.", "b."}), "a.");
  EXPECT_EQ(taken({"model.", "avg_model.module."}), "avg_model.module.");

  EXPECT_EQ(taken({"", "state_dict_ema."}, {.weights = "raw"}), "");
  EXPECT_EQ(taken({"encoder_q.", "encoder_k."}, {.weights = "ema"}), "encoder_k.");
  const std::set<std::string> mmengine = {"message_hub", "ema_state_dict"};
  EXPECT_EQ(taken({"", "ema_state_dict."}, {.weights = "raw"}, mmengine), "ema_state_dict.");
  // MMEngine without its EMAHook.
  EXPECT_EQ(taken({"backbone."}, {.weights = "raw"}, {"message_hub"}), "backbone.");
  EXPECT_EQ(taken({"a.", "b."}, {.prefix = "b"}), "b.");
  EXPECT_THAT(taken({"a.", "b."}, {.prefix = "c."}), HasSubstr("'a.' (raw), 'b.' (raw)"));
  EXPECT_THAT(taken({"a."}, {.weights = "ema"}), HasSubstr("--weights=ema"));
}

TEST(FindEncoderTest, SaysWhichOneItTook) {
  const StateDict state = GetState(*Network(kSpec));
  Checkpoint checkpoint = Holding(Below(state, "student.", Same));
  checkpoint.elsewhere = Below(state, "teacher.", Same);
  EXPECT_THAT(FindEncoder(checkpoint, {})->note,
              AllOf(HasSubstr("'teacher.'"), HasSubstr("'student.'"), HasSubstr("--weights")));
  EXPECT_EQ(FindEncoder(Holding(Below(state, "module.encoder_q.", Same)), {})->note, "");
}

// A plugin's, which has a first convolution as ResNets have, and no stages.
class Plain : public Backbone {
 public:
  Plain() {
    conv1_ = register_module("conv1", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 4, 3)));
    conv2_ = register_module("conv2", torch::nn::Conv2d(torch::nn::Conv2dOptions(4, 5, 3)));
  }
  at::Tensor forward(const at::Tensor& images) override {
    return conv2_->forward(conv1_->forward(images)).mean({2, 3});
  }
  int64_t feature_dim() const override { return 5; }

 private:
  torch::nn::Conv2d conv1_{nullptr}, conv2_{nullptr};
};

struct NoOptions {
  template <class Visitor>
  void Visit(Visitor&) {}
};

absl::StatusOr<std::unique_ptr<Backbone>> MakePlain(const NoOptions&, const BackboneContext&) {
  return std::make_unique<Plain>();
}

REGISTER_PLUGIN(Backbones, "plain", "for this test", NoOptions, MakePlain);

TEST(FindEncoderTest, AnotherBackboneThanAResNet) {
  const auto network = Network("plain");
  Checkpoint checkpoint = Holding(Below(GetState(*network), "module.encoder_q.", Same));
  checkpoint.state.emplace_back("module.encoder_q.fc.weight", at::zeros({2, 5}));
  ExpectRefused(checkpoint, {}, "has no encoder");
  EXPECT_TRUE(FindEncoder(checkpoint, {.arch = "plain"}).ok());
  checkpoint.facts.settings[kArchSetting] = "plain";
  const auto found = FindEncoder(checkpoint, {});
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_TRUE(SameFeatures(*found->backbone, *network));
  checkpoint.state.pop_back();
  checkpoint.state.pop_back();
  ExpectRefused(checkpoint, {}, "'conv2.bias' is missing");
}

TEST(FindEncoderTest, CountsOfBatchesMayBeMissing) {
  const auto network = Network(kSpec);
  StateDict state;
  for (const auto& entry : GetState(*network)) {
    if (!absl::EndsWith(entry.first, "num_batches_tracked")) state.push_back(entry);
  }
  const auto found = FindEncoder(Holding(state), {.arch = kSpec});
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_TRUE(SameFeatures(*found->backbone, *network));
}

TEST(FindEncoderTest, OtherNetworksAreRefusedByName) {
  const StateDict state = GetState(*Network("resnet18"));
  Checkpoint checkpoint = Holding(state);
  checkpoint.arch = "resnetaa18";
  ExpectRefused(checkpoint, {}, "'resnetaa18'");
  EXPECT_TRUE(FindEncoder(checkpoint, {.arch = "resnet18"}).ok());
  for (const char* same : {"resnet18", "tv_resnet18", "timm/resnet18.a1_in1k", "resnet-18"}) {
    checkpoint.arch = same;
    EXPECT_TRUE(FindEncoder(checkpoint, {}).ok()) << same;
  }
  // Scripts write the name of a class, too.
  for (const char* of_class : {"ResNet", "SimCLR"}) {
    checkpoint.arch = of_class;
    EXPECT_TRUE(FindEncoder(checkpoint, {}).ok()) << of_class;
  }
  checkpoint.arch = "resnet with hidden_act=gelu";
  ExpectRefused(checkpoint, {}, "hidden_act");
  // Squeeze-and-excitation lies inside the blocks.
  Checkpoint excited = Holding(state);
  excited.state.emplace_back("layer1.0.se.fc1.weight", at::zeros({4, 64, 1, 1}));
  ExpectRefused(excited, {}, "layer1.0.se.fc1.weight");
  // Group normalisation has no statistics.
  Checkpoint grouped;
  for (const auto& entry : state) {
    if (!absl::StrContains(entry.first, "running")) grouped.state.push_back(entry);
  }
  ExpectRefused(grouped, {}, "running_mean");
  // More blocks than the backbone has.
  ExpectRefused(Holding(GetState(*Network("resnet34"))), {.arch = "resnet18"},
                "its shapes are those of --arch=resnet34");
  Checkpoint deep = Holding(state);
  deep.state.front().first = "conv1.0.weight";
  ExpectRefused(deep, {}, "ResNet-D");
  deep.state.front().first = "stem.0.weight";
  ExpectRefused(deep, {}, "ResNetV1c");
}

// The ResNets of torchvision's segmentation networks, and of others with DeepLab's pyramid, are
// dilated.
TEST(FindEncoderTest, DilatedNetworksAreRefused) {
  const StateDict state = GetState(*Network(kSpec));
  const auto with = [&](const char* prefix, const char* head, const at::Tensor& weight) {
    Checkpoint checkpoint = Holding(Below(state, prefix, Same));
    checkpoint.state.emplace_back(head, weight);
    return checkpoint;
  };
  const at::Tensor convolution = at::zeros({4, 8, 3, 3});
  for (const auto& checkpoint :
       {with("backbone.", "classifier.0.weight", convolution),
        with("module.backbone.", "module.classifier.0.convs.0.0.weight", convolution),
        with("encoder.", "decoder.aspp.0.convs.0.0.weight", convolution),
        with("encoder.", "decoder.fpa.branch1.1.conv.weight", convolution)}) {
    ExpectRefused(checkpoint, {}, "dilated");
    Checkpoint named = checkpoint;
    named.arch = kSpec;
    ExpectRefused(named, {}, "dilated");
    EXPECT_TRUE(FindEncoder(checkpoint, {.arch = kSpec}).ok());
  }
  // A classifier of features.
  EXPECT_TRUE(FindEncoder(with("backbone.", "classifier.0.weight", at::zeros({4, 8})), {}).ok());
}

// The stride of detectron2's stages may be in another convolution, which no name and no shape
// shows.
TEST(FindEncoderTest, WhatIsAssumedIsSaid) {
  const auto detectron2 = [](const std::string& spec) {
    StateDict state;
    for (auto [name, tensor] : GetState(*Network(spec))) {
      name = absl::StrReplaceAll(
          "." + name,
          {{".conv1.weight",
            absl::StartsWith(name, "conv1") ? ".stem.conv1.weight" : ".conv1.weight"},
           {".bn1.", absl::StartsWith(name, "bn1") ? ".stem.conv1.norm." : ".conv1.norm."},
           {".bn2.", ".conv2.norm."},
           {".bn3.", ".conv3.norm."},
           {".downsample.0.", ".shortcut."},
           {".downsample.1.", ".shortcut.norm."},
           {".layer1.", ".res2."},
           {".layer2.", ".res3."},
           {".layer3.", ".res4."},
           {".layer4.", ".res5."}});
      state.emplace_back(name.substr(1), tensor);
    }
    return FindEncoder(Holding(state), {}).value().note;
  };
  EXPECT_THAT(detectron2(kBottlenecks), HasSubstr("STRIDE_IN_1X1"));
  EXPECT_THAT(detectron2("resnet18"), Not(HasSubstr("STRIDE_IN_1X1")));
}

TEST(FindEncoderTest, WhatIsNoTensorIsNamed) {
  Checkpoint checkpoint = Holding(GetState(*Network(kSpec)));
  std::erase_if(checkpoint.state, [](const auto& e) { return e.first == "bn1.bias"; });
  checkpoint.unread["bn1.bias"] = "torch.distributed.tensor.DTensor";
  ExpectRefused(checkpoint, {}, "'bn1.bias' is a 'torch.distributed.tensor.DTensor'");
  // FSDP leaves the buffers as they are.
  std::erase_if(checkpoint.state,
                [](const auto& e) { return !absl::StrContains(e.first, "running"); });
  checkpoint.unread["conv1.weight"] = "torch.distributed.tensor.DTensor";
  ExpectRefused(checkpoint, {}, "get_model_state_dict");
}

TEST(FindEncoderTest, WhatIsNoWeightIsRefused) {
  const auto with = [](const std::function<at::Tensor(at::Tensor)>& change) {
    Checkpoint checkpoint = Holding(GetState(*Network(kSpec)));
    for (auto& [name, tensor] : checkpoint.state) {
      if (name == "layer2.0.conv1.weight") tensor = change(tensor);
    }
    return checkpoint;
  };
  ExpectRefused(with([](at::Tensor t) { return t.to(at::kChar); }), {}, "layer2.0.conv1.weight");
  ExpectRefused(with([](at::Tensor t) { return t / 0; }), {}, "not finite");
  EXPECT_TRUE(FindEncoder(with([](at::Tensor t) { return t.to(at::kDouble); }), {}).ok());
  // Without the first convolution of a stage the shapes are those of a network with fewer.
  Checkpoint part = Holding(GetState(*Network(kSpec)));
  std::erase_if(part.state, [](const auto& e) { return e.first == "layer2.0.conv1.weight"; });
  part.unread["layer2.0.conv1.weight"] = "Float8_e4m3fnStorage";
  ExpectRefused(part, {}, "Float8_e4m3fnStorage");
}

TEST(FindEncoderTest, AFileWithoutEncoderIsDescribed) {
  const Checkpoint none =
      Holding({{"net.a.weight", at::zeros({1})}, {"cls_token", at::zeros({1})}});
  ExpectRefused(none, {}, "its 2 tensors are 'net.a.weight', 'cls_token'");
  ExpectRefused(none, {}, "a vision transformer");
}

}  // namespace
}  // namespace moco
