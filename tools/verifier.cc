#include "tools/verifier.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "augment/augmentation.h"
#include "augment/presets.h"
#include "base/rng.h"
#include "data/dataset.h"
#include "data/demo/demo.h"
#include "moco/backbones/backbone.h"
#include "moco/checkpoints/state_dict.h"
#include "moco/training/images.h"
#include "tools/export_formats.h"
#include "tools/onnx_file.h"
#include "tools/onnx_resnet.h"

namespace tools {
namespace {

constexpr int64_t kImages = 8;
constexpr double kRounding = 1e-5;  // allows for another order of sums in float32

// Returns images that are evenly spread over the data set: N x C x H x W, channels_last.
absl::StatusOr<at::Tensor> ReadImages(const std::string& folder, const std::string& views,
                                      int channels, const std::string& range) {
  std::string place = folder;
  if (place.empty()) {
    auto demo = data::DemoFolder();
    if (!demo.ok()) return demo.status();
    place = *demo + "/test";
  }
  const auto dataset = data::OpenDataset(
      {.path = place, .decode = {.channels = channels}, .range = range}, data::Split::kPretraining);
  if (!dataset.ok()) return dataset.status();
  const auto pipeline = augment::Pipeline::Create(views, channels);
  if (!pipeline.ok()) return pipeline.status();
  const auto view = moco::MakeView(*pipeline);
  if (!view.ok()) return view.status();
  const int64_t size = dataset->dataset->size(), n = std::min(kImages, size);
  at::Tensor pixels = at::empty({n, pipeline->output().rows, pipeline->output().cols, channels});
  for (int64_t i = 0; i < n; ++i) {
    const auto image = dataset->dataset->Image(i * size / n);
    if (!image.ok()) return image.status();
    base::Rng rng(0, base::Purpose::kView, 0, i);
    (*view)(*image, rng, pixels[i].mutable_data_ptr<float>());
  }
  return pixels.permute({0, 3, 1, 2});
}

absl::Status Damaged(const std::string& path, absl::string_view what) {
  return absl::DataLossError(
      absl::StrCat("'", path, "' ", what, "; check the disk, and export again"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Verifier>> Verifier::Create(const moco::Checkpoint& checkpoint,
                                                           const moco::EncoderChoice& choice,
                                                           const std::string& folder) {
  auto backbone = lincls::FrozenBackbone::Create(checkpoint, choice);
  if (!backbone.ok()) return backbone.status();
  const std::string views = checkpoint.facts.Setting(moco::kEvalViewsSetting);
  const int channels = *moco::ImageChannels((*backbone)->spec());
  const std::string normalize = augment::NormalizeSpec(channels == 3 ? "imagenet" : "grey");
  auto images = ReadImages(folder, views.empty() ? augment::EvaluationViews(224, normalize) : views,
                           channels, checkpoint.facts.Setting(moco::kRangeSetting));
  if (!images.ok()) return images.status();
  return std::unique_ptr<Verifier>(new Verifier(*std::move(backbone), *std::move(images)));
}

absl::StatusOr<at::Tensor> Verifier::Features(const std::string& path,
                                              const std::string& format) const {
  if (format == "onnx") {
    const auto model = ReadOnnx(path);
    if (!model.ok()) return model.status();
    auto features = Evaluate(*model, images_);
    return features.ok() ? features : Damaged(path, features.status().message());
  }
  auto read = moco::ReadCheckpoint(path);
  if (!read.ok()) return read.status();
  const auto backbone = lincls::FrozenBackbone::Create(*read, {backbone_->spec()});
  if (!backbone.ok()) return Damaged(path, backbone.status().message());
  const absl::Status same = moco::CheckEqual((*backbone)->State(), backbone_->State());
  if (!same.ok()) return Damaged(path, same.message());
  return (**backbone)(images_);
}

absl::StatusOr<double> Verifier::Difference(const std::string& path,
                                            const std::string& format) const {
  const auto features = Features(path, format);
  if (!features.ok()) return features.status();
  const at::Tensor expected = (*backbone_)(images_);
  if (features->sizes() != expected.sizes())
    return Damaged(path, "gives features of another length");
  const double difference = ((*features - expected).norm() / expected.norm()).item<double>();
  if (!(difference <= kRounding)) {
    return Damaged(path, absl::StrCat("gives other features than the checkpoint: they differ by ",
                                      difference, " of their norm"));
  }
  return difference;
}

}  // namespace tools
