#include "moco/checkpoints/encoder_names.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace moco {
namespace {

using Parts = std::vector<absl::string_view>;

// The beginning of a name, and torchvision's.
using Beginnings = std::vector<std::pair<absl::string_view, absl::string_view>>;

std::string WithBeginning(absl::string_view name, const Beginnings& beginnings) {
  for (const auto& [theirs, ours] : beginnings) {
    if (absl::ConsumePrefix(&name, theirs)) return absl::StrCat(ours, name);
  }
  return "";
}

// lightly's own ResNet says `shortcut`.
std::string Torchvision(absl::string_view name) {
  return absl::StrReplaceAll(name, {{".shortcut.", ".downsample."}});
}

// nn.Sequential of a ResNet's children, whose first stage is the child number `stage1`.
std::string Children(absl::string_view name, int stage1) {
  int64_t child;
  const size_t dot = name.find('.');
  if (dot == absl::string_view::npos || !absl::SimpleAtoi(name.substr(0, dot), &child)) return "";
  const absl::string_view rest = name.substr(dot);
  if (child == 0) return absl::StrCat("conv1", rest);
  if (child == 1) return absl::StrCat("bn1", rest);
  const int64_t stage = child - stage1 + 1;
  return stage < 1 || stage > 4 ? "" : Torchvision(absl::StrCat("layer", stage, rest));
}

// Of torchvision's ResNet, in which 2 and 3 are ReLU and pooling.
constexpr char kTorchvisions[] = "4.0.conv1.weight";
std::string TorchvisionChildren(absl::string_view name) { return Children(name, 4); }

// Of the same without the pooling, as the CIFAR demo of MoCo and others since take them.
constexpr char kUnpooled[] = "3.0.conv1.weight";
std::string UnpooledChildren(absl::string_view name) { return Children(name, 3); }

// Of lightly's own ResNet for CIFAR, which has neither.
constexpr char kLightlys[] = "2.0.conv1.weight";
std::string LightlyChildren(absl::string_view name) { return Children(name, 2); }

// Returns a number that is greater by one; empty if `text` is no number.
std::string Next(absl::string_view text) {
  int64_t number;
  return absl::SimpleAtoi(text, &number) ? absl::StrCat(number + 1) : "";
}

// encoder.stages.0.layers.1.layer.2.convolution.weight is layer1.1.conv3.weight.
std::string Transformers(absl::string_view name) {
  const std::string stem = WithBeginning(name, {{"embedder.embedder.convolution.", "conv1."},
                                                {"embedder.embedder.normalization.", "bn1."}});
  if (!stem.empty()) return stem;
  const Parts parts = absl::StrSplit(name, '.');
  if (parts.size() < 8 || parts[0] != "encoder" || parts[1] != "stages" || parts[3] != "layers") {
    return "";
  }
  const std::string block = absl::StrCat("layer", Next(parts[2]), ".", parts[4], ".");
  const bool is_convolution = parts[parts.size() - 2] == "convolution";
  if (parts[5] == "shortcut") {
    return absl::StrCat(block, "downsample.", is_convolution ? "0." : "1.", parts.back());
  }
  if (parts[5] != "layer" || parts.size() != 9) return "";
  return absl::StrCat(block, is_convolution ? "conv" : "bn", Next(parts[6]), ".", parts.back());
}

// res2.0.conv2.norm.weight is layer1.0.bn2.weight, stem.conv1.norm.weight is bn1.weight.
std::string Detectron2(absl::string_view name) {
  const std::string plain = WithBeginning(name, {{"stem.conv1.norm.", "bn1."},
                                                 {"stem.conv1.", "conv1."},
                                                 {"res2.", "layer1."},
                                                 {"res3.", "layer2."},
                                                 {"res4.", "layer3."},
                                                 {"res5.", "layer4."}});
  return absl::StrReplaceAll(plain, {{".conv1.norm.", ".bn1."},
                                     {".conv2.norm.", ".bn2."},
                                     {".conv3.norm.", ".bn3."},
                                     {".shortcut.norm.", ".downsample.1."},
                                     {".shortcut.", ".downsample.0."}});
}

}  // namespace

// Checked against lightly 1.6.0, transformers 5.24 and detectron2 0.6.
const std::vector<EncoderNames>& AllEncoderNames() {
  static const std::vector<EncoderNames>& all = *new std::vector<EncoderNames>{
      {"torchvision", "conv1.weight", "layer1.0.conv1.weight", "", Torchvision},
      {"children of torchvision's ResNet", "0.weight", kTorchvisions, kUnpooled,
       TorchvisionChildren},
      {"children of a ResNet without pooling", "0.weight", kUnpooled, kLightlys, UnpooledChildren,
       "cifar"},
      {"children of lightly's ResNetGenerator", "0.weight", kLightlys, "", LightlyChildren,
       "cifar_linear"},
      {"transformers", "embedder.embedder.convolution.weight",
       "encoder.stages.0.layers.0.layer.0.convolution.weight", "", Transformers},
      {"detectron2", "stem.conv1.weight", "res2.0.conv1.weight", "", Detectron2, "",
       "MODEL.RESNETS.STRIDE_IN_1X1 = False (detectron2's default is True)"}};
  return all;
}

std::string WithoutInnerWrappers(absl::string_view name) {
  Parts parts = absl::StrSplit(name, '.');
  const auto wraps = [](absl::string_view part) {
    return part == "_orig_mod" || part == "module" || part == "_fsdp_wrapped_module" ||
           part == "_checkpoint_wrapped_module";
  };
  parts.erase(std::remove_if(parts.begin() + 1, parts.end(), wraps), parts.end());
  return absl::StrJoin(parts, ".");
}

void JoinSplitStatistics(StateDict& backbone) {
  std::map<std::string, int64_t> channels;
  for (const auto& [name, tensor] : backbone) channels[name] = tensor.numel();
  for (auto& [name, tensor] : backbone) {
    const size_t dot = name.find(".running_");
    if (dot == std::string::npos) continue;
    const int64_t own = channels[name.substr(0, dot) + ".weight"];
    if (own > 0 && tensor.numel() > own && tensor.numel() % own == 0) {
      tensor = tensor.reshape({-1, own}).mean(0);
    }
  }
}

}  // namespace moco
