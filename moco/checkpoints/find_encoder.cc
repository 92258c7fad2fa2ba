#include "moco/checkpoints/find_encoder.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "moco/backbones/backbone.h"
#include "moco/checkpoints/encoder_candidates.h"
#include "moco/checkpoints/encoder_names.h"
#include "moco/checkpoints/encoder_spec.h"

namespace moco {
namespace {

constexpr absl::string_view kCount = ".num_batches_tracked";

std::string Quoted(const std::vector<Candidate>& candidates) {
  return absl::StrJoin(candidates, ", ", [](std::string* text, const Candidate& candidate) {
    absl::StrAppend(text, "'", candidate.prefix, "' (", candidate.weights, ")");
  });
}

// Keeps those that the user asks for.
absl::Status Choose(const EncoderChoice& choice, std::vector<Candidate>& candidates) {
  const std::vector<Candidate> all = candidates;
  std::erase_if(candidates, [&](const Candidate& c) {
    const bool other_prefix =
        !choice.prefix.empty() && c.prefix != choice.prefix && c.prefix != choice.prefix + ".";
    return other_prefix || (!choice.weights.empty() && c.weights != choice.weights);
  });
  if (!candidates.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "has no encoder", choice.prefix.empty() ? "" : absl::StrCat(" below '", choice.prefix, "'"),
      choice.weights.empty() ? "" : absl::StrCat(" with --weights=", choice.weights),
      "; it has one below ", Quoted(all)));
}

// What a file without an encoder seems to hold; empty if it is not known.
std::string OtherNetwork(const StateDict& all) {
  constexpr std::pair<absl::string_view, absl::string_view> kSigns[] = {
      {"conv1.0.weight", "a ResNet whose first layers are several convolutions (ResNet-D)"},
      {"stem.0.weight", "a ResNet whose first layers are several convolutions (ResNetV1c, V1d)"},
      {"stages.0.blocks.0.conv1.weight", "a ResNetV2"},
      {"patch_embed.proj.weight", "a vision transformer"},
      {"cls_token", "a vision transformer"},
      {"embeddings.patch_embeddings.projection.weight", "a vision transformer"}};
  for (const auto& [name, tensor] : all) {
    for (const auto& [sign, network] : kSigns) {
      if (absl::EndsWith(name, sign)) {
        return absl::StrCat("'", name, "' is of ", network, ", for which there is no backbone; ");
      }
    }
  }
  return "";
}

absl::Status NoEncoder(const Checkpoint& checkpoint, const StateDict& all,
                       const EncoderNames* own) {
  for (const auto& [name, kind] : checkpoint.unread) {
    for (const EncoderNames& names : AllEncoderNames()) {
      if (name == names.first || absl::EndsWith(name, absl::StrCat(".", names.first))) {
        return absl::InvalidArgumentError(absl::StrCat("has no encoder: ", NotATensor(name, kind)));
      }
    }
  }
  std::string found;
  for (size_t i = 0; i < all.size() && i < 3; ++i) {
    absl::StrAppend(&found, "'", all[i].first, "', ");
  }
  if (all.empty() && !checkpoint.unread.empty()) {
    const auto& [name, kind] = *checkpoint.unread.begin();
    found = absl::StrCat("none, and '", name, "' is a '", kind,
                         "', and no code in a file is run; save the state_dict(), ");
  }
  std::string expected;
  if (own != nullptr) {
    expected = absl::StrCat("'", own->first, "'");
  } else {
    for (const EncoderNames& names : AllEncoderNames()) {
      absl::StrAppend(&expected, expected.empty() ? "" : ", ", "'", names.first, "' and '",
                      names.marker, "' (", names.program, ")");
    }
  }
  return absl::InvalidArgumentError(absl::StrCat("has no encoder: its ", all.size(),
                                                 " tensors are ", found, "...; ", OtherNetwork(all),
                                                 "expected below any prefix: ", expected));
}

// --- Its tensors ---

// The part of a network that a name belongs to, without its number: "layer" of "layer4.0.bn1.bias".
std::string PartOf(absl::string_view name) {
  name = name.substr(0, name.find('.'));
  while (!name.empty() && absl::ascii_isdigit(name.back())) name.remove_suffix(1);
  return std::string(name);
}

// Whether a ResNet may have a tensor of this name.
bool IsOfResNet(absl::string_view name) {
  const std::string part = PartOf(name);
  return part == "conv" || part == "bn" || part == "layer";
}

// InvalidArgument if the candidate lacks a tensor because it is of a kind that is not read.
absl::Status CheckRead(const Checkpoint& checkpoint, const Candidate& candidate) {
  for (const auto& [name, kind] : checkpoint.unread) {
    absl::string_view below = name;
    if (absl::ConsumePrefix(&below, candidate.prefix) &&
        IsOfResNet(candidate.names->torchvision(WithoutInnerWrappers(below)))) {
      return absl::InvalidArgumentError(absl::StrCat("has no encoder: ", NotATensor(name, kind)));
    }
  }
  return absl::OkStatus();
}

// InvalidArgument if the values of a ResNet's tensor are no weights. Other backbones may have
// masks, which are of any type and may be infinite.
absl::Status CheckValues(const std::string& name, const at::Tensor& tensor) {
  if (!IsOfResNet(name) || absl::EndsWith(name, kCount)) return absl::OkStatus();
  if (!tensor.is_floating_point()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", name, "' holds integers, as quantized weights are; save it as float32"));
  }
  if (at::isfinite(tensor).all().item<bool>()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "'", name,
      "' has values that are not finite; use a checkpoint from before the run diverged"));
}

// Copies the candidate's tensors into the backbone.
absl::Status Load(const Checkpoint& checkpoint, const Candidate& candidate, Backbone& backbone) {
  const StateDict live = GetState(backbone);
  std::set<std::string> own, parts;
  for (const auto& [name, tensor] : live) {
    own.insert(name);
    parts.insert(PartOf(name));
  }
  StateDict tensors;
  for (const auto& [name, tensor] : candidate.tensors) {
    if (own.erase(name) > 0 || parts.count(PartOf(name)) > 0) tensors.emplace_back(name, tensor);
  }
  for (const auto& [name, tensor] : live) {
    if (own.count(name) == 0) continue;
    if (absl::EndsWith(name, kCount)) tensors.emplace_back(name, at::zeros_like(tensor));
    const auto unread = checkpoint.unread.find(candidate.prefix + name);
    if (unread == checkpoint.unread.end()) continue;
    return absl::InvalidArgumentError(NotATensor(unread->first, unread->second));
  }
  for (const auto& [name, tensor] : tensors) {
    if (absl::Status s = CheckValues(name, tensor); !s.ok()) return s;
  }
  return CopyState(tensors, live);
}

std::string Note(const Candidate& taken, const std::vector<Candidate>& all,
                 const EncoderChoice& choice, const std::string& spec, bool stem_is_shown) {
  if (absl::StartsWith(taken.prefix, kQueryEncoder)) return "";
  std::vector<std::string> parts;
  std::vector<Candidate> others;
  for (const Candidate& other : all) {
    if (other.prefix != taken.prefix) others.push_back(other);
  }
  if (!others.empty()) {
    parts.push_back(absl::StrCat("the encoder was taken from '", taken.prefix, "' (", taken.weights,
                                 "); others are below ", Quoted(others),
                                 ": --encoder-prefix or --weights chooses"));
  }
  if (taken.names != &AllEncoderNames()[0] && *taken.names->program != '\0') {
    parts.push_back(absl::StrCat("the names are those of ", taken.names->program));
  }
  const bool bottlenecks =
      std::any_of(taken.tensors.begin(), taken.tensors.end(),
                  [](const auto& entry) { return entry.first == "layer1.0.conv3.weight"; });
  if (*taken.names->assumed != '\0' && bottlenecks) {
    parts.push_back(absl::StrCat(taken.names->assumed, " is assumed, which the file does not say"));
  }
  if (choice.arch.empty() && !stem_is_shown) {
    if (absl::StrContains(spec, "stem=cifar,")) {
      parts.push_back(
          "the first convolution is 3x3: it is taken to have a padding of 1 and no pooling behind "
          "it, which the file does not say; --arch=...:stem=cifar_padded is solo-learn's");
    } else if (absl::StrContains(spec, "stem=cifar_padded,")) {
      parts.push_back("the first convolution is taken to be solo-learn's, with a padding of 2");
    }
  }
  return absl::StrJoin(parts, "; ");
}

}  // namespace

absl::StatusOr<FoundEncoder> FindEncoder(const Checkpoint& checkpoint,
                                         const EncoderChoice& choice) {
  StateDict all = checkpoint.state;
  all.insert(all.end(), checkpoint.elsewhere.begin(), checkpoint.elsewhere.end());
  const auto stated = StatedSpec(checkpoint, choice.arch);
  if (!stated.ok()) return stated.status();
  FoundEncoder found;
  std::string first, marker;  // names of a backbone that is no ResNet
  std::string made;           // the spec of found.backbone
  const auto make = [&](const std::string& spec) -> absl::Status {
    if (spec == made) return absl::OkStatus();
    auto backbone = Backbones().Create(spec, BackboneContext{});
    if (!backbone.ok()) return backbone.status();
    found.backbone = *std::move(backbone);
    made = spec;
    return absl::OkStatus();
  };
  EncoderNames own{"", "", "", "", [](absl::string_view name) { return std::string(name); }};
  if (!stated->empty()) {
    if (absl::Status s = make(*stated); !s.ok()) return s;
    const StateDict names = GetState(*found.backbone);
    const bool is_resnet = std::any_of(names.begin(), names.end(), [](const auto& entry) {
      return entry.first == AllEncoderNames()[0].marker;
    });
    if (!is_resnet && !names.empty()) {
      first = names[0].first;
      marker = names[names.size() > 1].first;
      own.first = first.c_str();
      own.marker = marker.c_str();
    }
  }
  const EncoderNames* const other = first.empty() ? nullptr : &own;
  std::vector<Candidate> candidates = Candidates(all, checkpoint.entries, other);
  if (candidates.empty()) return NoEncoder(checkpoint, all, other);
  const std::vector<Candidate> every = candidates;
  if (absl::Status s = Choose(choice, candidates); !s.ok()) return s;
  const Candidate& taken = candidates.front();

  if (other == nullptr) {
    if (absl::Status s = CheckRead(checkpoint, taken); !s.ok()) return s;
  }
  auto spec = SpecOf(checkpoint, all, taken, *stated);
  if (!spec.ok()) return spec.status();
  if (absl::Status s = make(*spec); !s.ok()) return s;
  found.backbone->eval();
  for (at::Tensor& p : found.backbone->parameters()) {
    p.requires_grad_(false);
    if (p.dim() == 4) p.set_data(p.data().contiguous(at::MemoryFormat::ChannelsLast));
  }
  if (absl::Status s = Load(checkpoint, taken, *found.backbone); !s.ok()) {
    const auto fitting = SpecOfShapes(all, taken);
    const bool other_fits =
        other == nullptr && fitting.ok() && Backbones().Canonical(*fitting).value_or("") != *spec;
    return absl::InvalidArgumentError(absl::StrCat(
        "does not fit the backbone '", *spec, "'",
        taken.prefix.empty() || absl::StartsWith(taken.prefix, kQueryEncoder)
            ? ""
            : absl::StrCat(" below '", taken.prefix, "'"),
        ": ", s.message(),
        other_fits ? absl::StrCat("; its shapes are those of --arch=", *fitting) : ""));
  }
  found.spec = *std::move(spec);
  found.prefix = taken.prefix;
  if (other == nullptr && checkpoint.facts.Setting(kArchSetting).empty()) {
    found.note =
        Note(taken, every, choice, found.spec, TellsStem(*taken.names) || NameIsSpec(checkpoint));
  }
  return found;
}

}  // namespace moco
