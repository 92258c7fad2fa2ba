#include "lincls/encoders/feature_network.h"

#include <ATen/ops/zeros.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "moco/backbones/backbone.h"
#include "registry/spec.h"

namespace lincls {
namespace {

// Returns 3 for "stage3", and 0 for other names.
int64_t StageNumber(absl::string_view name) {
  int64_t number;
  const bool is_stage = absl::ConsumePrefix(&name, "stage") && absl::SimpleAtoi(name, &number);
  return is_stage ? number : 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FeatureNetwork>> FeatureNetwork::Create(
    const moco::Checkpoint& checkpoint, const moco::EncoderChoice& choice) {
  std::unique_ptr<FeatureNetwork> network(new FeatureNetwork);
  auto backbone = FrozenBackbone::Create(checkpoint, choice);
  if (!backbone.ok()) return backbone.status();
  network->backbone_ = *std::move(backbone);
  auto head = FrozenHead::Create(checkpoint, network->backbone_->prefix(),
                                 network->backbone_->feature_dim());
  if (head.ok()) {
    network->head_ = *std::move(head);
  } else if (absl::IsNotFound(head.status())) {
    network->no_head_ = std::string(head.status().message());
  } else {
    return head.status();
  }
  return network;
}

void FeatureNetwork::To(at::Device device, bool bf16) {
  backbone_->To(device, bf16);
  if (head_ != nullptr) head_->To(device);
}

absl::Status FeatureNetwork::Choose(const std::string& features, int64_t rows, int64_t cols) {
  const int channels = *moco::ImageChannels(backbone_->spec());
  const std::vector<at::Tensor> stages = backbone_->Stages(
      at::zeros({1, channels, rows, cols}).contiguous(at::MemoryFormat::ChannelsLast));
  std::vector<std::pair<std::string, int64_t>> all = {{"backbone", backbone_->feature_dim()}};
  if (head_ != nullptr) all.emplace_back("head", head_->dim());
  for (size_t i = 0; i < stages.size(); ++i) {
    all.emplace_back(absl::StrCat("stage", i + 1), stages[i].size(1));
  }
  std::vector<std::string> known;
  for (const auto& [name, width] : all) known.push_back(name);
  known.push_back("all");

  std::vector<std::string> wanted;
  for (absl::string_view name : absl::StrSplit(features, ',', absl::SkipWhitespace())) {
    name = absl::StripAsciiWhitespace(name);
    if (std::count(known.begin(), known.end(), name) > 0) {
      wanted.emplace_back(name);
      continue;
    }
    if (name == "head") {
      return absl::InvalidArgumentError(absl::StrCat(no_head_, "; leave 'head' out of --features"));
    }
    if (StageNumber(name) > 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("holds a backbone '", backbone_->spec(), "' with ",
                       stages.empty() ? "no stages" : absl::StrCat(stages.size(), " stages"),
                       "; leave '", name, "' out of --features"));
    }
    return absl::InvalidArgumentError(absl::StrCat("cannot compute --features=", features, ": ",
                                                   registry::UnknownMessage("name", name, known)));
  }
  if (wanted.empty()) {
    return absl::InvalidArgumentError(
        "cannot compute an empty list of features; give --features=backbone");
  }
  const bool everything = std::count(wanted.begin(), wanted.end(), "all") > 0;
  for (const auto& [name, width] : all) {
    if (!everything && std::count(wanted.begin(), wanted.end(), name) == 0) continue;
    outputs_.emplace_back(name, width);
    wants_stages_ = wants_stages_ || StageNumber(name) > 0;
  }
  return absl::OkStatus();
}

std::vector<at::Tensor> FeatureNetwork::operator()(const at::Tensor& images) const {
  std::vector<at::Tensor> stages;
  if (wants_stages_) stages = backbone_->Stages(images);
  const at::Tensor features = wants_stages_ ? stages.back() : (*backbone_)(images);
  std::vector<at::Tensor> matrices;
  for (const auto& [name, width] : outputs_) {
    matrices.push_back(name == "backbone" ? features
                       : name == "head"   ? (*head_)(features)
                                          : stages[StageNumber(name) - 1]);
  }
  return matrices;
}

}  // namespace lincls
