#include "lincls/encoders/frozen_backbone.h"

#include <ATen/core/grad_mode.h>

#include <filesystem>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "lincls/encoders/encoder_layouts.h"
#include "moco/backbones/backbone.h"

namespace lincls {
namespace {

namespace fs = std::filesystem;

std::string PluginName(const std::string& spec) { return spec.substr(0, spec.find(':')); }

// The spec to build: see Create.
absl::StatusOr<std::string> SpecOf(const moco::Checkpoint& checkpoint, const std::string& arch) {
  std::string held = checkpoint.facts.Setting(moco::kArchSetting);
  const bool exact = !held.empty();
  if (!exact) held = checkpoint.arch;
  const std::string wanted = arch.empty() ? held : arch;
  if (wanted.empty()) {
    return absl::InvalidArgumentError("does not say which backbone it holds; give --arch");
  }
  auto spec = moco::Backbones().Canonical(wanted);
  if (!spec.ok()) {
    return absl::Status(spec.status().code(), absl::StrCat("cannot be read as '", wanted,
                                                           "': ", spec.status().message()));
  }
  // The plugin may have got new options since then.
  if (const auto now = moco::Backbones().Canonical(held); exact && now.ok()) held = *now;
  if (exact ? *spec != held : !held.empty() && PluginName(*spec) != held) {
    return absl::InvalidArgumentError(
        absl::StrCat("holds a backbone '", held, "', not '", *spec,
                     "'; omit --arch, or give the one that it holds"));
  }
  return spec;
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
    const moco::Checkpoint& checkpoint, const std::string& prefix, const std::string& arch) {
  moco::StateDict original;
  if (prefix == kPretrained) {
    auto encoder = FindEncoder(checkpoint.state);
    if (!encoder.ok()) return encoder.status();
    original = *std::move(encoder);
  } else {
    original = BackboneState(checkpoint.state, prefix);
  }
  if (original.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("has no tensor below '", prefix, "' in its state_dict"));
  }
  auto spec = SpecOf(checkpoint, arch);
  if (!spec.ok()) return spec.status();
  auto backbone = moco::Backbones().Create(*spec, moco::BackboneContext{});
  if (!backbone.ok()) return backbone.status();
  (*backbone)->eval();
  for (at::Tensor& p : (*backbone)->parameters()) {
    p.requires_grad_(false);
    if (p.dim() == 4) p.set_data(p.data().contiguous(at::MemoryFormat::ChannelsLast));
  }
  const moco::StateDict live = moco::GetState(**backbone);
  if (absl::Status s = moco::CopyState(original, live); !s.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("does not fit the backbone '", *spec, "': ", s.message()));
  }
  // Weights of a float64 run are converted to float32 here, and are compared in this form.
  for (const auto& [name, tensor] : live) {
    for (auto& [key, value] : original) {
      if (key == name) value = value.to(tensor.scalar_type());
    }
  }
  return std::unique_ptr<FrozenBackbone>(
      new FrozenBackbone(*spec, *std::move(backbone), std::move(original)));
}

FrozenBackbone::FrozenBackbone(std::string spec, std::shared_ptr<moco::Backbone> backbone,
                               moco::StateDict original)
    : spec_(std::move(spec)), backbone_(std::move(backbone)), original_(std::move(original)) {}

FrozenBackbone::~FrozenBackbone() = default;

void FrozenBackbone::To(at::Device device) {
  device_ = device;
  for (const auto& [name, tensor] : State()) {
    at::Tensor(tensor).set_data(tensor.data().to(device));
  }
}

at::Tensor FrozenBackbone::operator()(const at::Tensor& images) const {
  at::NoGradGuard no_grad;
  return backbone_->forward(images.to(device_));
}

std::vector<at::Tensor> FrozenBackbone::Stages(const at::Tensor& images) const {
  at::NoGradGuard no_grad;
  return backbone_->Stages(images.to(device_));
}

void FrozenBackbone::Thaw() {
  thawed_ = true;
  for (at::Tensor& p : backbone_->parameters()) p.requires_grad_(true);
}

at::Tensor FrozenBackbone::Train(const at::Tensor& images) {
  if (!thawed_) return (*this)(images);
  backbone_->train();
  at::Tensor features = backbone_->forward(images.to(device_));
  backbone_->eval();
  return features;
}

at::Tensor FrozenBackbone::TrainOnNothing(const at::Tensor& images) const {
  return thawed_ ? backbone_->forward(images.to(device_)) : (*this)(images);
}

std::vector<at::Tensor> FrozenBackbone::Parameters() const {
  return thawed_ ? backbone_->parameters() : std::vector<at::Tensor>();
}

int64_t FrozenBackbone::feature_dim() const { return backbone_->feature_dim(); }

moco::StateDict FrozenBackbone::State() const { return moco::GetState(*backbone_); }

absl::Status FrozenBackbone::CheckUnchanged() const {
  return thawed_ ? absl::OkStatus() : moco::CheckEqual(State(), original_);
}

absl::StatusOr<std::string> NewestCheckpoint(const std::string& runs) {
  std::string newest;
  fs::file_time_type newest_time;
  std::error_code error;
  const auto consider = [&](const fs::path& run) {
    const auto checkpoints = moco::ListCheckpoints(run);
    if (checkpoints.empty()) return;
    const auto time = fs::last_write_time(checkpoints.back(), error);
    if (!newest.empty() && time < newest_time) return;
    newest = checkpoints.back();
    newest_time = time;
  };
  consider(runs);
  if (newest.empty()) {
    for (const auto& run : fs::directory_iterator(runs, error)) consider(run.path());
  }
  if (newest.empty()) {
    return absl::NotFoundError(
        absl::StrCat("there is no checkpoint of pretraining in '", runs, "' or its run folders"));
  }
  return newest;
}

}  // namespace lincls
