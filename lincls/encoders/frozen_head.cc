#include "lincls/encoders/frozen_head.h"

#include <ATen/core/grad_mode.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "moco/checkpoints/state_dict.h"
#include "moco/heads/head.h"

namespace lincls {
namespace {

// Returns the spec of the head that has layers of these names; empty if there is no such plugin.
std::string SpecOf(const moco::StateDict& layers) {
  std::string spec;
  for (const auto& [name, tensor] : layers) {
    if (tensor.dim() != 2) continue;
    if (name == "weight") spec = absl::StrCat("linear:dim=", tensor.size(0));
    if (name == "2.weight") spec = absl::StrCat("mlp:dim=", tensor.size(0));
  }
  return spec;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FrozenHead>> FrozenHead::Create(const moco::Checkpoint& checkpoint,
                                                               const std::string& prefix,
                                                               int64_t feature_dim) {
  const moco::StateDict layers = moco::Below(checkpoint.state, prefix + "fc.");
  if (!absl::EndsWith(prefix, "encoder_q.") && !absl::EndsWith(prefix, "encoder_k.")) {
    return absl::NotFoundError(layers.empty()
                                   ? absl::StrCat("holds no head below '", prefix, "fc.'")
                                   : "holds a linear classifier in place of the head");
  }
  const std::string held = checkpoint.facts.Setting(moco::kHeadSetting);
  const std::string spec = held.empty() ? SpecOf(layers) : held;
  if (layers.empty() || spec.empty()) {
    return absl::NotFoundError(absl::StrCat("holds no head below '", prefix, "fc.'"));
  }
  auto head = moco::Heads().Create(spec, feature_dim);
  if (!head.ok()) return head.status();
  (*head)->eval();
  if (absl::Status s = moco::CopyState(layers, moco::GetState(**head)); !s.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("does not fit the head '", spec, "': ", s.message()));
  }
  return std::unique_ptr<FrozenHead>(new FrozenHead(*std::move(head)));
}

FrozenHead::FrozenHead(std::shared_ptr<moco::Head> head) : head_(std::move(head)) {}

FrozenHead::~FrozenHead() = default;

void FrozenHead::To(at::Device device) {
  for (const auto& [name, tensor] : moco::GetState(*head_)) {
    at::Tensor(tensor).set_data(tensor.data().to(device));
  }
}

at::Tensor FrozenHead::operator()(const at::Tensor& features) const {
  at::NoGradGuard no_grad;
  return head_->forward(features);
}

int64_t FrozenHead::dim() const { return head_->dim(); }

}  // namespace lincls
