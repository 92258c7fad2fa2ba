#include "lincls/encoders/encoder_layouts.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"

namespace lincls {
namespace {

// Prefixes of names: those of the other program, and torchvision's.
using Children = std::array<std::pair<absl::string_view, absl::string_view>, 6>;

// nn.Sequential(*list(resnet.children())[:-1]) of torchvision's ResNet, in which 2 and 3 are ReLU
// and pooling, and of lightly's own ResNet for CIFAR, which has neither.
constexpr Children kTorchvisionChildren = {{{"0.", "conv1."},
                                            {"1.", "bn1."},
                                            {"4.", "layer1."},
                                            {"5.", "layer2."},
                                            {"6.", "layer3."},
                                            {"7.", "layer4."}}};
constexpr Children kLightlyChildren = {{{"0.", "conv1."},
                                        {"1.", "bn1."},
                                        {"2.", "layer1."},
                                        {"3.", "layer2."},
                                        {"4.", "layer3."},
                                        {"5.", "layer4."}}};

// Checked against facebookresearch/moco-v3 c349e6e, lightly-ai/lightly e8d317f,
// open-mmlab/mmselfsup db861f3, vturrisi/solo-learn 9187ea3 and facebookresearch/vissl 09270ed.
struct Layout {
  const char* program;
  const char* prefix;  // prefix of the backbone's names
  const char* first;   // a name that must exist below it; empty: none
  const Children* children = nullptr;
};
constexpr Layout kLayouts[] = {
    {"MoCo v1, v2", "module.encoder_q.", ""},
    {"MoCo v3", "module.base_encoder.", "conv1.weight"},
    {"lightly's own ResNet", "backbone.", "2.0.conv1.weight", &kLightlyChildren},
    {"lightly", "backbone.", "0.weight", &kTorchvisionChildren},
    {"lightly, mmselfsup, solo-learn", "backbone.", "conv1.weight"},
    {"older solo-learn", "encoder.", "conv1.weight"},
    {"vissl", "_feature_blocks.", "conv1.weight"},
    {"torchvision", "", "conv1.weight"}};

bool Fits(const Layout& layout, const moco::StateDict& state) {
  const std::string name = absl::StrCat(layout.prefix, layout.first);
  const bool any = *layout.first == '\0';
  return std::any_of(state.begin(), state.end(), [&](const auto& entry) {
    return any ? absl::StartsWith(entry.first, name) : entry.first == name;
  });
}

std::string TorchvisionName(const Layout& layout, const std::string& name) {
  if (layout.children == nullptr) return name;
  for (const auto& [theirs, ours] : *layout.children) {
    if (!absl::StartsWith(name, theirs)) continue;
    return absl::StrReplaceAll(absl::StrCat(ours, name.substr(theirs.size())),
                               {{".shortcut.", ".downsample."}});
  }
  return name;
}

// lightly's split batch normalisation stores the running statistics of all parts, one after the
// other; in evaluation mode it uses their mean.
void JoinSplitStatistics(moco::StateDict& backbone) {
  std::map<std::string, int64_t> channels;
  for (const auto& [name, tensor] : backbone) channels[name] = tensor.numel();
  for (auto& [name, tensor] : backbone) {
    const size_t dot = name.find(".running_");
    if (dot == std::string::npos) continue;
    const int64_t own = channels[name.substr(0, dot) + ".weight"];
    if (own > 0 && tensor.numel() > own && tensor.numel() % own == 0) {
      tensor = tensor.view({-1, own}).mean(0);
    }
  }
}

}  // namespace

absl::StatusOr<moco::StateDict> FindEncoder(const moco::StateDict& state) {
  for (const Layout& layout : kLayouts) {
    if (!Fits(layout, state)) continue;
    moco::StateDict backbone;
    for (const auto& [name, tensor] : moco::Below(state, layout.prefix)) {
      if (absl::StartsWith(name, "fc.")) continue;
      backbone.emplace_back(TorchvisionName(layout, name), tensor);
    }
    if (layout.children == &kLightlyChildren) JoinSplitStatistics(backbone);
    return backbone;
  }
  std::string found, expected;
  for (size_t i = 0; i < state.size() && i < 3; ++i) {
    absl::StrAppend(&found, "'", state[i].first, "', ");
  }
  for (const Layout& layout : kLayouts) {
    absl::StrAppend(&expected, expected.empty() ? "" : ", ", "'", layout.prefix, layout.first,
                    "' (", layout.program, ")");
  }
  return absl::InvalidArgumentError(absl::StrCat("has no encoder in a known layout: its ",
                                                 state.size(), " tensors are ", found,
                                                 "...; expected one of ", expected));
}

}  // namespace lincls
