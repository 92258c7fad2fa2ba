#include "lincls/encoders/frozen_backbone.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "moco/backbones/autocast.h"
#include "moco/backbones/backbone.h"

namespace lincls {
namespace {

// A CPU computes so many pixels at a time: what lies between two layers then fits into its caches,
// and takes little memory.
constexpr int64_t kPixels = 1 << 19;

// How many parts of a batch are computed one after another. The features of an image are its own,
// so that this changes their last bits at the most.
int64_t SlicesOf(const at::Tensor& images) {
  const int64_t pixels = images.size(0) * images.size(2) * images.size(3);
  return std::max<int64_t>(1, std::min(images.size(0), (pixels + kPixels - 1) / kPixels));
}

}  // namespace

moco::StateDict BackboneState(const moco::StateDict& state, const std::string& prefix) {
  moco::StateDict backbone;
  for (auto& [name, tensor] : moco::Below(state, prefix)) {
    if (!absl::StartsWith(name, "fc.")) backbone.emplace_back(name, tensor);
  }
  return backbone;
}

absl::StatusOr<std::unique_ptr<FrozenBackbone>> FrozenBackbone::Create(
    const moco::Checkpoint& checkpoint, const moco::EncoderChoice& choice) {
  auto found = moco::FindEncoder(checkpoint, choice);
  if (!found.ok()) return found.status();
  moco::StateDict original = moco::Copy(moco::GetState(*found->backbone));
  return std::unique_ptr<FrozenBackbone>(
      new FrozenBackbone(*std::move(found), std::move(original)));
}

FrozenBackbone::FrozenBackbone(moco::FoundEncoder found, moco::StateDict original)
    : found_(std::move(found)), backbone_(found_.backbone.get()), original_(std::move(original)) {}

FrozenBackbone::~FrozenBackbone() = default;

void FrozenBackbone::To(at::Device device, bool bf16) {
  device_ = device;
  bf16_ = bf16;
  for (const auto& [name, tensor] : State()) {
    at::Tensor(tensor).set_data(tensor.data().to(device));
  }
}

at::Tensor FrozenBackbone::Forward(const at::Tensor& images) const {
  const moco::Bf16Autocast autocast(device_.type(), bf16_);
  return backbone_->forward(images.to(device_)).to(at::kFloat);
}

at::Tensor FrozenBackbone::operator()(const at::Tensor& images) const {
  at::NoGradGuard no_grad;
  const int64_t slices = SlicesOf(images);
  if (!device_.is_cpu() || slices == 1) return Forward(images);
  std::vector<at::Tensor> features;
  for (const at::Tensor& slice : images.chunk(slices)) features.push_back(Forward(slice));
  return at::cat(features);
}

std::vector<at::Tensor> FrozenBackbone::Stages(const at::Tensor& images) const {
  at::NoGradGuard no_grad;
  const moco::Bf16Autocast autocast(device_.type(), bf16_);
  std::vector<at::Tensor> stages = backbone_->Stages(images.to(device_));
  for (at::Tensor& stage : stages) stage = stage.to(at::kFloat);
  return stages;
}

void FrozenBackbone::Thaw() {
  thawed_ = true;
  for (at::Tensor& p : backbone_->parameters()) p.requires_grad_(true);
}

at::Tensor FrozenBackbone::Train(const at::Tensor& images) {
  if (!thawed_) return (*this)(images);
  backbone_->train();
  at::Tensor features = Forward(images);
  backbone_->eval();
  return features;
}

at::Tensor FrozenBackbone::TrainOnNothing(const at::Tensor& images) const {
  return thawed_ ? Forward(images) : (*this)(images);
}

std::vector<at::Tensor> FrozenBackbone::Parameters() const {
  return thawed_ ? backbone_->parameters() : std::vector<at::Tensor>();
}

int64_t FrozenBackbone::feature_dim() const { return backbone_->feature_dim(); }

moco::StateDict FrozenBackbone::State() const { return moco::GetState(*backbone_); }

absl::Status FrozenBackbone::CheckUnchanged() const {
  return thawed_ ? absl::OkStatus() : moco::CheckEqual(State(), original_);
}

}  // namespace lincls
