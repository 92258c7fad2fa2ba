#include "moco/checkpoints/find_encoder.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "moco/backbones/backbone.h"
#include "moco/backbones/resnet_shapes.h"
#include "moco/checkpoints/encoder_names.h"

namespace moco {
namespace {

constexpr absl::string_view kCount = ".num_batches_tracked";
constexpr char kEma[] = "ema", kRaw[] = "raw";

std::string PluginName(absl::string_view spec) {
  return std::string(spec.substr(0, spec.find(':')));
}

// A prefix below which an encoder may be.
struct Candidate {
  std::string prefix;
  const EncoderNames* names;
  int rank = 0;                // of the order in FindEncoder's comment
  const char* weights = kRaw;  // or kEma
  StateDict tensors = {};      // below the prefix, with torchvision's names
};

// Ranks a prefix by the words in it.
void Rank(const std::set<std::string>& entries, Candidate& candidate) {
  const std::set<std::string> words = absl::StrSplit(absl::AsciiStrToLower(candidate.prefix),
                                                     absl::ByAnyChar("._"), absl::SkipEmpty());
  const auto has = [&](std::initializer_list<const char*> any) {
    return std::any_of(any.begin(), any.end(), [&](const char* w) { return words.count(w) > 0; });
  };
  // MMEngine's EMAHook (MMEngine leaves a message_hub) and Lightning's WeightAveraging exchange the
  // two before they save: `state_dict` has the average, and the other entry what was trained.
  const bool mmengine = entries.count("message_hub") > 0 && entries.count("ema_state_dict") > 0;
  const bool exchanged = mmengine || entries.count("current_model_state") > 0;
  if (absl::StartsWith(candidate.prefix, "current_model_state.") ||
      (mmengine && absl::StartsWith(candidate.prefix, "ema_state_dict."))) {
    candidate.rank = 5;
  } else if (has({"ema", "swa", "averaging", "averaged", "average", "avg"})) {
    candidate.rank = 0;
    candidate.weights = kEma;
  } else if (has({"momentum", "target", "key", "k"})) {
    candidate.rank = 4;
    candidate.weights = kEma;
  } else if (has({"teacher"})) {
    candidate.rank = 2;
    candidate.weights = kEma;
  } else if (has({"student"})) {
    candidate.rank = 3;
  } else {
    candidate.rank = 1;
    candidate.weights = exchanged ? kEma : kRaw;
  }
}

// Returns the candidates in the documented order. `own`: names of a backbone that is known already
// and is no ResNet; null otherwise.
std::vector<Candidate> Candidates(const StateDict& all, const std::set<std::string>& entries,
                                  const EncoderNames* own) {
  std::set<absl::string_view> known;
  for (const auto& [name, tensor] : all) known.insert(name);
  std::vector<Candidate> candidates;
  for (const auto& [name, tensor] : all) {
    const auto consider = [&, &name = name](const EncoderNames& names) {
      absl::string_view prefix = name;
      if (!absl::ConsumeSuffix(&prefix, names.first) ||
          (!prefix.empty() && !absl::EndsWith(prefix, ".")) ||
          known.count(absl::StrCat(prefix, names.marker)) == 0 ||
          (*names.absent != '\0' && known.count(absl::StrCat(prefix, names.absent)) > 0)) {
        return;
      }
      Candidate candidate{std::string(prefix), &names};
      Rank(entries, candidate);
      for (const auto& [rest, value] : Below(all, candidate.prefix)) {
        std::string ours = names.torchvision(rest);
        if (!ours.empty()) candidate.tensors.emplace_back(std::move(ours), value);
      }
      JoinSplitStatistics(candidate.tensors);
      candidates.push_back(std::move(candidate));
    };
    if (own != nullptr) {
      consider(*own);
    } else {
      for (const EncoderNames& names : AllEncoderNames()) consider(names);
    }
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const auto& a, const auto& b) { return a.rank < b.rank; });
  return candidates;
}

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

// --- Which backbone ---

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

absl::StatusOr<std::string> SpecOfShapes(const StateDict& all, const Candidate& candidate) {
  const char* stem = *candidate.names->stem != '\0' ? candidate.names->stem
                     : IsSoloLearns(all, candidate) ? "cifar_padded"
                                                    : "cifar";
  return ResNetOfShapes(Shapes(candidate.tensors), stem);
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

// Returns the spec if the checkpoint or the user states it in full; empty if the shapes decide.
absl::StatusOr<std::string> StatedSpec(const Checkpoint& checkpoint, const EncoderChoice& choice) {
  std::string held = checkpoint.facts.Setting(kArchSetting);
  if (held.empty()) return choice.arch.empty() ? "" : Canonical(choice.arch);
  auto spec = Canonical(choice.arch.empty() ? held : choice.arch);
  if (!spec.ok()) return spec;
  // The plugin may have got new options since then.
  if (const auto now = Backbones().Canonical(held); now.ok()) held = *now;
  if (*spec != held) return HoldsAnother(held, *spec);
  return spec;
}

// The spec of a candidate. `stated`: what StatedSpec returned.
absl::StatusOr<std::string> SpecOf(const Checkpoint& checkpoint, const StateDict& all,
                                   const Candidate& candidate, const std::string& stated) {
  const std::string& held = checkpoint.arch;
  const bool known = Backbones().Canonical(held).ok();
  if (!stated.empty()) {
    if (checkpoint.facts.Setting(kArchSetting).empty() && known && PluginName(stated) != held) {
      return HoldsAnother(held, stated);
    }
    const char* stem = candidate.names->stem;
    if (*stem != '\0' && !absl::StrContains(stated, absl::StrCat("stem=", stem, ","))) {
      return absl::InvalidArgumentError(
          absl::StrCat("was saved as the ", candidate.names->program, ", which is a network with ",
                       "stem=", stem, ", not '", stated, "'; omit --arch, or give that stem"));
    }
    return stated;
  }
  auto spec = SpecOfShapes(all, candidate);
  if (!spec.ok()) {
    if (known) return Canonical(held);
    return spec;
  }
  if (!held.empty() && PlainName(held) != PlainName(PluginName(*spec)) &&
      held != PluginName(*spec)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "names its network '", held, "', whose tensors have the shapes of '", PluginName(*spec),
        "' but which is another network; give --arch=", PluginName(*spec),
        " only if it is that network after all"));
  }
  return Canonical(*spec);
}

// --- Its tensors ---

// The part of a network that a name belongs to, without its number: "layer" of "layer4.0.bn1.bias".
std::string PartOf(absl::string_view name) {
  name = name.substr(0, name.find('.'));
  while (!name.empty() && absl::ascii_isdigit(name.back())) name.remove_suffix(1);
  return std::string(name);
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
  const auto stated = StatedSpec(checkpoint, choice);
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
    found.note = Note(taken, every, choice, found.spec, *taken.names->stem != '\0');
  }
  return found;
}

}  // namespace moco
