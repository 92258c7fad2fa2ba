#include "moco/checkpoints/encoder_spec.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <iterator>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "moco/backbones/backbone.h"
#include "moco/backbones/resnet_shapes.h"

namespace moco {
namespace {

std::string PluginName(absl::string_view spec) {
  return std::string(spec.substr(0, spec.find(':')));
}

ShapesByName Shapes(const StateDict& tensors) {
  ShapesByName shapes;
  for (const auto& [name, tensor] : tensors) shapes[name] = tensor.sizes().vec();
  return shapes;
}

// solo-learn's first convolution for small images has a padding of 2, which no shape shows. Its
// checkpoints have a classifier and a projector beside the backbone.
bool IsSoloLearns(const StateDict& all, const Candidate& candidate) {
  const auto has = [&](absl::string_view beginning) {
    return std::any_of(all.begin(), all.end(),
                       [&](const auto& entry) { return absl::StartsWith(entry.first, beginning); });
  };
  return (candidate.prefix == "backbone." || candidate.prefix == "encoder.") &&
         has("classifier.weight") && (has("projector.") || has("momentum_projector."));
}

// A tensor beside the encoder that only a network with dilated convolutions has; empty: none. The
// strides of such an encoder are others, which no name and no shape of its own shows.
std::string SignOfDilation(const StateDict& all, const Candidate& candidate) {
  if (candidate.prefix.empty()) return "";
  const size_t dot = candidate.prefix.rfind('.', candidate.prefix.size() - 2);
  const std::string outside =
      candidate.prefix.substr(0, dot == std::string::npos ? 0 : dot + 1);  // of the whole network
  const bool is_torchvisions = candidate.prefix == outside + "backbone.";
  for (const auto& [name, tensor] : all) {
    if (absl::StartsWith(name, candidate.prefix) || !absl::StartsWith(name, outside)) continue;
    // DeepLab's pyramid, the attention of segmentation_models_pytorch's PAN, and the head of
    // torchvision's FCN, which is a convolution.
    const bool pyramid = tensor.dim() == 4 && absl::EndsWith(name, ".convs.0.0.weight");
    const bool head = tensor.dim() == 4 && is_torchvisions &&
                      name == absl::StrCat(outside, "classifier.0.weight");
    const bool attention = absl::StartsWith(name, absl::StrCat(outside, "decoder.fpa."));
    if (pyramid || attention || head) return name;
  }
  return "";
}

// Whether a stem has a ReLU and a pooling as the names show them.
bool Shows(const EncoderNames& names, const ResNetStem& stem) {
  return *names.stem == '\0' ||
         (stem.relu == StemOf(names.stem).relu && stem.pool == StemOf(names.stem).pool);
}

// InvalidArgument if the names show that the first layers are not those of `spec`.
absl::Status CheckStem(const EncoderNames& names, const std::string& spec) {
  for (const ResNetStem& stem : kResNetStems) {
    if (!absl::StrContains(spec, absl::StrCat("stem=", stem.name, ",")) || Shows(names, stem)) {
      continue;
    }
    return absl::InvalidArgumentError(absl::StrCat(
        "was saved as the ", names.program, ", whose first layers are those of stem=", names.stem,
        ", not of '", spec, "'; give --arch with that stem if it fits"));
  }
  return absl::OkStatus();
}

// The name by which a program knows one of torchvision's networks, without what distinguishes only
// its weights: "timm/tv_resnet50.tv2_in1k" is resnet50.
std::string PlainName(absl::string_view name) {
  name = name.substr(name.rfind('/') + 1);
  name = name.substr(0, name.find('.'));
  std::string plain = absl::AsciiStrToLower(name);
  for (absl::string_view beginning : {"tv_", "gluon_", "ssl_", "swsl_", "ig_"}) {
    if (absl::StartsWith(plain, beginning)) plain = plain.substr(beginning.size());
  }
  return absl::StrReplaceAll(absl::StripSuffix(plain, "_v1b"), {{"_", ""}, {"-", ""}});
}

// Whether an entry `arch` names a network rather than a class, such as "ResNet" and "SimCLR", which
// training scripts write there, too. What named_network.h finds names a network.
bool NamesANetwork(absl::string_view held) {
  return absl::StrContains(held, ' ') ||
         std::any_of(held.begin(), held.end(), [](char c) { return absl::ascii_isdigit(c); });
}

absl::StatusOr<std::string> Canonical(const std::string& wanted) {
  auto spec = Backbones().Canonical(wanted);
  if (spec.ok()) return spec;
  return absl::Status(spec.status().code(),
                      absl::StrCat("cannot be read as '", wanted, "': ", spec.status().message()));
}

absl::Status HoldsAnother(const std::string& held, const std::string& wanted) {
  return absl::InvalidArgumentError(absl::StrCat("holds a backbone '", held, "', not '", wanted,
                                                 "'; omit --arch, or give the one that it holds"));
}

}  // namespace

bool TellsStem(const EncoderNames& names) {
  return *names.stem != '\0' &&
         std::count_if(std::begin(kResNetStems), std::end(kResNetStems),
                       [&](const ResNetStem& stem) { return Shows(names, stem); }) == 1;
}

absl::StatusOr<std::string> SpecOfShapes(const StateDict& all, const Candidate& candidate) {
  const char* stem = *candidate.names->stem != '\0' ? candidate.names->stem
                     : IsSoloLearns(all, candidate) ? "cifar_padded"
                                                    : "cifar";
  return ResNetOfShapes(Shapes(candidate.tensors), stem);
}

bool NameIsSpec(const Checkpoint& checkpoint) {
  return PluginName(checkpoint.arch) != checkpoint.arch &&
         Backbones().Canonical(checkpoint.arch).ok();
}

absl::StatusOr<std::string> StatedSpec(const Checkpoint& checkpoint, const std::string& arch) {
  std::string held = checkpoint.facts.Setting(kArchSetting);
  if (held.empty()) return arch.empty() ? "" : Canonical(arch);
  auto spec = Canonical(arch.empty() ? held : arch);
  if (!spec.ok()) return spec;
  // The plugin may have got new options since then.
  if (const auto now = Backbones().Canonical(held); now.ok()) held = *now;
  if (*spec != held) return HoldsAnother(held, *spec);
  return spec;
}

absl::StatusOr<std::string> SpecOf(const Checkpoint& checkpoint, const StateDict& all,
                                   const Candidate& candidate, const std::string& stated) {
  const std::string& held = checkpoint.arch;
  const bool known = Backbones().Canonical(held).ok();
  if (!stated.empty()) {
    if (checkpoint.facts.Setting(kArchSetting).empty() && known &&
        PluginName(stated) != PluginName(held)) {
      return HoldsAnother(held, stated);
    }
    if (absl::Status s = CheckStem(*candidate.names, stated); !s.ok()) return s;
    return stated;
  }
  absl::StatusOr<std::string> spec = held;
  if (!NameIsSpec(checkpoint)) {
    spec = SpecOfShapes(all, candidate);
    if (!spec.ok()) {
      if (known) return Canonical(held);
      return spec;
    }
    if (NamesANetwork(held) && PlainName(held) != PlainName(PluginName(*spec)) &&
        held != PluginName(*spec)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "names its network '", held, "', whose tensors have the shapes of '", PluginName(*spec),
          "' but which is another network; give --arch=", PluginName(*spec),
          " only if it is that network after all"));
    }
  }
  if (const std::string sign = SignOfDilation(all, candidate); !sign.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "holds a segmentation network, as '", sign, "' shows, whose '", PluginName(*spec),
        "' has dilated convolutions instead of strides and is another network; give --arch=",
        PluginName(*spec), " only if its strides are the usual ones after all"));
  }
  auto canonical = Canonical(*spec);
  if (!canonical.ok()) return canonical;
  if (absl::Status s = CheckStem(*candidate.names, *canonical); !s.ok()) return s;
  return canonical;
}

}  // namespace moco
