#include "moco/training/initial_weights.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/remainder.h>

#include <filesystem>
#include <map>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "moco/backbones/backbone.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/checkpoints/resume.h"

namespace moco {
namespace {

absl::StatusOr<FoundEncoder> Find(const Checkpoint& checkpoint, EncoderChoice choice,
                                  const std::string& arch) {
  auto found = FindEncoder(checkpoint, choice);
  if (found.ok() || arch.empty() || !choice.arch.empty()) return found;
  choice.arch = arch;
  auto as_the_run = FindEncoder(checkpoint, choice);
  return as_the_run.ok() ? std::move(as_the_run) : std::move(found);
}

bool SameShapes(const StateDict& a, const StateDict& b) {
  std::map<std::string, std::vector<int64_t>> shapes;
  for (const auto& [name, tensor] : b) shapes[name] = tensor.sizes().vec();
  for (const auto& [name, tensor] : a) {
    const auto found = shapes.find(name);
    if (found == shapes.end() || found->second != tensor.sizes()) return false;
  }
  return a.size() == b.size();
}

}  // namespace

absl::StatusOr<InitialWeights> ReadInitialWeights(const std::string& path,
                                                  const EncoderChoice& choice,
                                                  const std::string& arch) {
  InitialWeights weights;
  weights.path = path;
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    auto newest = NewestCheckpoint(path);
    if (!newest.ok()) return newest.status();
    weights.path = *std::move(newest);
  }
  const auto checkpoint = ReadCheckpoint(weights.path);
  if (!checkpoint.ok()) return checkpoint.status();
  auto found = Find(*checkpoint, choice, arch);
  if (!found.ok()) return base::InFile(found.status(), weights.path);
  weights.spec = found->spec;
  weights.note = found->note;
  weights.backbone = GetState(*found->backbone);
  if (absl::EndsWith(found->prefix, "encoder_q.")) {
    weights.head = Below(checkpoint->state, found->prefix + "fc.");
  }
  StateDict taken = weights.backbone;
  taken.insert(taken.end(), weights.head.begin(), weights.head.end());
  weights.fingerprint = HashOf(taken);
  return weights;
}

at::Tensor ForChannels(const at::Tensor& weight, int64_t channels) {
  const int64_t in = weight.size(1);
  if (in == channels) return weight;
  if (channels == 1) return weight.sum(1, /*keepdim=*/true);
  const at::Tensor turn = at::remainder(at::arange(channels, at::kLong), in);
  return weight.index_select(1, turn) * (static_cast<double>(in) / channels);
}

absl::StatusOr<std::string> Load(const InitialWeights& weights, MoCo& moco) {
  at::NoGradGuard no_grad;
  StateDict backbone, head, from;
  for (const auto& [name, tensor] : moco.query_encoder().State()) {
    if (absl::StartsWith(name, "fc.")) {
      head.emplace_back(name.substr(3), tensor);
    } else {
      backbone.emplace_back(name, tensor);
    }
  }
  std::string channels;
  for (size_t i = 0; i < weights.backbone.size(); ++i) {
    const auto& [name, tensor] = weights.backbone[i];
    at::Tensor value = tensor;
    // Only the first convolution sees the image.
    if (i == 0 && i < backbone.size() && tensor.dim() == 4 && backbone[0].second.dim() == 4 &&
        tensor.size(1) != backbone[0].second.size(1)) {
      const int64_t wanted = backbone[0].second.size(1);
      value = ForChannels(tensor, wanted);
      channels = absl::StrCat(", ", tensor.size(1), " channels ",
                              wanted == 1 ? "added up for " : "repeated and scaled for ", wanted);
    }
    from.emplace_back(name, value);
  }
  if (absl::Status s = CopyState(from, backbone); !s.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", weights.path, "' (--init) holds '", weights.spec,
        "', which does not fit --arch: ", s.message(), "; give --arch=", weights.spec));
  }
  const bool has_head = !weights.head.empty() && SameShapes(weights.head, head);
  if (has_head) {
    if (absl::Status s = CopyState(weights.head, head); !s.ok()) return s;
  }
  absl::Status s = CopyState(moco.query_encoder().State(), moco.key_encoder().State());
  if (!s.ok()) return s;
  return absl::StrCat("the backbone", channels, has_head ? " and the head" : "; the head is drawn");
}

}  // namespace moco
