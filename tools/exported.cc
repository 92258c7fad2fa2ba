#include "tools/exported.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/linear.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "augment/augmentation.h"
#include "base/files.h"
#include "data/dataset.h"
#include "lincls/classifier_checkpoint.h"
#include "lincls/encoders/pretrained.h"
#include "moco/backbones/backbone.h"
#include "registry/spec.h"
#include "tensors/tensor_file.h"

namespace tools {
namespace {

absl::StatusOr<std::string> FindFile(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) return path;
  const auto classifiers = lincls::ListCheckpoints(path);
  if (!classifiers.empty()) return classifiers.front();  // the best one, if there is one
  auto newest = lincls::FindPretrained(path);
  if (newest.ok()) return newest;
  // It is no run folder; this error says what to do with a folder.
  return tensors::TensorFile::Open(path).status();
}

// Whether `fc` is a single layer, and not a head of several for pretraining.
bool HasLinearLayer(const moco::Checkpoint& checkpoint) {
  const auto layer = moco::Below(checkpoint.state, absl::StrCat(lincls::kClassifier, "fc."));
  return !layer.empty() && std::all_of(layer.begin(), layer.end(), [](const auto& entry) {
    return entry.first == "weight" || entry.first == "bias";
  });
}

// The last layer of a classifier, which must fit its backbone.
absl::StatusOr<moco::StateDict> LastLayer(const moco::Checkpoint& checkpoint, int64_t features) {
  moco::StateDict layer(2);
  for (const auto& [name, tensor] :
       moco::Below(checkpoint.state, absl::StrCat(lincls::kClassifier, "fc."))) {
    if (name == "weight") layer[0] = {name, tensor.to(at::kFloat)};
    if (name == "bias") layer[1] = {name, tensor.to(at::kFloat)};
  }
  const at::Tensor &weight = layer[0].second, &bias = layer[1].second;
  if (!weight.defined() || !bias.defined() || weight.dim() != 2 || bias.dim() != 1 ||
      weight.size(1) != features || weight.size(0) != bias.size(0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("holds a classifier that does not fit its encoder: 'fc.weight' must have ",
                     features, " columns, and 'fc.bias' as many numbers as it has rows"));
  }
  return layer;
}

// The numbers of an option of normalize, one for each channel.
std::vector<double> Constants(absl::string_view text, int channels) {
  std::vector<double> values;
  for (const absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    double value = 0;
    if (absl::SimpleAtod(word, &value)) values.push_back(value);
  }
  if (values.size() == 1) values.resize(channels, values[0]);
  return values;
}

// The only option of a step of this name; 0 if `step` is another one.
int64_t SizeOf(const std::string& step, absl::string_view name) {
  const auto spec = registry::ParseSpec(step);
  int64_t size = 0;
  const bool fits = spec.ok() && spec->name == name && spec->options.size() == 1 &&
                    spec->options[0].first == "size" &&
                    absl::SimpleAtoi(spec->options[0].second, &size);
  return fits ? size : 0;
}

}  // namespace

moco::StateDict Exported::State() const {
  moco::StateDict state = backbone->State();
  for (const auto& [name, tensor] : layer) state.emplace_back(absl::StrCat("fc.", name), tensor);
  return state;
}

at::Tensor Exported::Output(const at::Tensor& features) const {
  at::NoGradGuard no_grad;
  return is_classifier() ? at::linear(features, layer[0].second, layer[1].second) : features;
}

absl::StatusOr<Exported> FindExported(const std::string& path, const moco::EncoderChoice& choice,
                                      const std::string& eval_views) {
  const auto file = FindFile(path);
  if (!file.ok()) return file.status();
  Exported exported;
  exported.path = *file;
  auto checkpoint = moco::ReadCheckpoint(*file);
  if (!checkpoint.ok()) return checkpoint.status();
  auto backbone = lincls::FrozenBackbone::Create(*checkpoint, choice);
  if (!backbone.ok()) return base::InFile(backbone.status(), *file);
  exported.backbone = *std::move(backbone);
  // Other files' `fc` may never have been trained.
  if (exported.backbone->prefix() == lincls::kClassifier && HasLinearLayer(*checkpoint)) {
    auto layer = LastLayer(*checkpoint, exported.backbone->feature_dim());
    if (!layer.ok()) return base::InFile(layer.status(), *file);
    exported.layer = *std::move(layer);
    exported.classes = absl::StrSplit(checkpoint->facts.classes, '/', absl::SkipEmpty());
    if (exported.classes.size() != exported.num_classes()) exported.classes.clear();
  }
  const auto channels = moco::ImageChannels(exported.backbone->spec());
  if (!channels.ok()) return channels.status();
  exported.channels = *channels;
  exported.views_stated =
      !eval_views.empty() || !checkpoint->facts.Setting(moco::kEvalViewsSetting).empty();
  exported.views =
      lincls::EvaluationViews(eval_views, *checkpoint, data::ViewDefaults(), exported.channels);
  checkpoint->state.clear();
  checkpoint->optimizer = {};
  exported.checkpoint = *std::move(checkpoint);
  return exported;
}

absl::StatusOr<Preprocessing> PreprocessingOf(const Exported& exported) {
  const auto pipeline = augment::Pipeline::Create(exported.views, exported.channels);
  if (!pipeline.ok()) {
    return absl::Status(pipeline.status().code(),
                        absl::StrCat("cannot be used with the evaluation views '", exported.views,
                                     "': ", pipeline.status().message()));
  }
  auto steps = registry::SplitPipeline(pipeline->spec());
  if (!steps.ok()) return steps.status();
  Preprocessing result;
  result.mean.assign(exported.channels, 0);
  result.std.assign(exported.channels, 1);
  if (const auto last = registry::ParseSpec(steps->back());
      last.ok() && last->name == "normalize") {
    for (const auto& [key, value] : last->options) {
      (key == "mean" ? result.mean : result.std) = Constants(value, exported.channels);
    }
    steps->pop_back();
  }
  if (steps->empty() || steps->back() != "to_tensor") {
    return absl::InvalidArgumentError(absl::StrCat(
        "has the evaluation views '", exported.views,
        "', which cannot be stated for other programs: they must end with to_tensor, or to_tensor "
        "and normalize; give --eval-views"));
  }
  steps->pop_back();
  result.on_bytes = absl::StrJoin(*steps, "|");
  if (steps->size() == 2) {
    result.resize = SizeOf((*steps)[0], "resize");
    result.crop = SizeOf((*steps)[1], "center_crop");
    if (result.resize == 0 || result.crop == 0) result.resize = result.crop = 0;
  }
  return result;
}

}  // namespace tools
