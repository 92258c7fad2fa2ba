#include "lincls/encoder_layouts.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace lincls {
namespace {

struct Layout {
  const char* program;
  const char* prefix;  // of the backbone's names
  const char* first;   // a name that is there below it; empty: any
  bool numbered;       // nn.Sequential(*list(resnet.children())[:-1])
};
constexpr Layout kLayouts[] = {
    {"MoCo v1, v2", "module.encoder_q.", "", false},
    {"MoCo v3", "module.base_encoder.", "conv1.weight", false},
    {"lightly", "backbone.", "0.weight", true},
    {"lightly, mmselfsup, solo-learn", "backbone.", "conv1.weight", false},
    {"older solo-learn", "encoder.", "conv1.weight", false},
    {"vissl", "_feature_blocks.", "conv1.weight", false},
    {"torchvision", "", "conv1.weight", false}};

// The children of torchvision's ResNet that have tensors, by their number.
constexpr std::pair<const char*, const char*> kChildren[] = {{"0.", "conv1."},  {"1.", "bn1."},
                                                             {"4.", "layer1."}, {"5.", "layer2."},
                                                             {"6.", "layer3."}, {"7.", "layer4."}};

bool Fits(const Layout& layout, const moco::StateDict& state) {
  const std::string name = absl::StrCat(layout.prefix, layout.first);
  const bool any = *layout.first == '\0';
  return std::any_of(state.begin(), state.end(), [&](const auto& entry) {
    return any ? absl::StartsWith(entry.first, name) : entry.first == name;
  });
}

std::string OfChild(const std::string& name) {
  for (const auto& [number, child] : kChildren) {
    if (absl::StartsWith(name, number)) return absl::StrCat(child, name.substr(2));
  }
  return name;
}

}  // namespace

absl::StatusOr<moco::StateDict> FindEncoder(const moco::StateDict& state) {
  for (const Layout& layout : kLayouts) {
    if (!Fits(layout, state)) continue;
    moco::StateDict backbone;
    for (const auto& [name, tensor] : moco::Below(state, layout.prefix)) {
      if (absl::StartsWith(name, "fc.")) continue;
      backbone.emplace_back(layout.numbered ? OfChild(name) : name, tensor);
    }
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
  return absl::InvalidArgumentError(absl::StrCat("has an encoder of no known layout: its ",
                                                 state.size(), " tensors are ", found,
                                                 "...; expected one of ", expected));
}

}  // namespace lincls
