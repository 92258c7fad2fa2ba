#include "tools/verifier.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "augment/augmentation.h"
#include "base/rng.h"
#include "base/work.h"
#include "data/dataset.h"
#include "data/demo/demo.h"
#include "lincls/encoders/frozen_backbone.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/checkpoints/state_dict.h"
#include "moco/training/images.h"
#include "tools/export_formats.h"
#include "tools/onnx_file.h"
#include "tools/onnx_resnet.h"
#include "tools/timm_folder.h"

namespace tools {
namespace {

constexpr int64_t kImages = 8;
constexpr double kRounding = 1e-5;  // allows for another order of sums in float32

struct Images {
  at::Tensor pixels;  // N x C x H x W, channels_last, float32
  at::Tensor bytes;   // N x H x W x C, uint8, before to_tensor; undefined: not asked for
};

// Copies the image that `steps` make of `image` into `out`, rows x cols x channels bytes.
absl::Status CopyBytes(const augment::Pipeline& steps, const cv::Mat& image,
                       const at::Tensor& out) {
  base::Rng rng(0, base::Purpose::kView, 0, 0);
  const cv::Mat result = steps(image, rng).clone();  // without gaps between the rows
  const auto bytes = result.total() * result.elemSize();
  if (result.depth() != CV_8U || bytes != out.nbytes()) {
    return absl::InvalidArgumentError(
        "cannot be verified with --with-preprocessing on images of more than 8 bits; give "
        "--images");
  }
  std::memcpy(out.mutable_data_ptr(), result.data, bytes);
  return absl::OkStatus();
}

// Reads images that are evenly spread over the data set.
absl::StatusOr<Images> ReadImages(const Exported& exported, const std::string& folder, bool bytes) {
  const int channels = exported.channels;
  std::string place = folder;
  if (place.empty()) {
    auto demo = data::DemoFolder();
    if (!demo.ok()) return demo.status();
    place = *demo + "/test";
  }
  const auto dataset =
      data::OpenDataset({.path = place,
                         .decode = {.channels = channels},
                         .range = exported.checkpoint.facts.Setting(moco::kRangeSetting)},
                        data::Split::kPretraining);
  if (!dataset.ok()) return dataset.status();
  const auto pipeline = augment::Pipeline::Create(exported.views, channels);
  if (!pipeline.ok()) return pipeline.status();
  if (const auto view = moco::MakeView(*pipeline); !view.ok()) return view.status();
  std::optional<augment::Pipeline> on_bytes;
  if (bytes) {
    const auto preprocessing = PreprocessingOf(exported);
    if (!preprocessing.ok()) return preprocessing.status();
    auto steps = augment::Pipeline::Create(preprocessing->on_bytes, channels);
    if (!steps.ok()) return steps.status();
    on_bytes = *std::move(steps);
  }
  const int64_t size = dataset->dataset->size(), n = std::min(kImages, size);
  const at::Tensor pixels =
      at::empty({n, pipeline->output().rows, pipeline->output().cols, channels});
  Images images;
  if (bytes) images.bytes = at::empty(pixels.sizes(), at::kByte);
  for (int64_t i = 0; i < n; ++i) {
    const auto image = data::ReadImageAt(*dataset->dataset, i * size / n);
    if (!image.ok()) return image.status();
    base::Rng rng(0, base::Purpose::kView, 0, i);
    const cv::Mat view = (*pipeline)(*image, rng);
    view.copyTo(cv::Mat(view.rows, view.cols, view.type(), pixels[i].mutable_data_ptr()));
    if (!bytes) continue;
    if (absl::Status s = CopyBytes(*on_bytes, *image, images.bytes[i]); !s.ok()) return s;
  }
  images.pixels = pixels.permute({0, 3, 1, 2});
  return images;
}

absl::Status Damaged(const std::string& path, absl::string_view what) {
  return absl::DataLossError(
      absl::StrCat("'", path, "' ", what, "; check the disk, and export again"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Verifier>> Verifier::Create(const Exported& exported,
                                                           const std::string& folder, bool bytes) {
  const auto images = ReadImages(exported, folder, bytes);
  if (!images.ok()) return images.status();
  return std::unique_ptr<Verifier>(new Verifier(exported, images->pixels, images->bytes));
}

absl::StatusOr<Verifier::Network> Verifier::Read(const std::string& path,
                                                 const std::string& format) const {
  if (format == "onnx") {
    auto model = ReadOnnx(path);
    if (!model.ok()) return model.status();
    return [path, model = *std::move(model)](
               const at::Tensor& images, const at::Tensor& bytes) -> absl::StatusOr<at::Tensor> {
      auto output = Evaluate(model, model.input.is_bytes ? bytes : images);
      return output.ok() ? output : Damaged(path, output.status().message());
    };
  }
  const std::string file = format == "timm" ? absl::StrCat(path, "/", kTimmWeights) : path;
  auto read = moco::ReadCheckpoint(file);
  if (!read.ok()) return read.status();
  const moco::StateDict layer = moco::Below(read->state, "fc.");
  const lincls::FrozenBackbone& expected = *exported_.backbone;
  auto made = lincls::FrozenBackbone::Create(*read, {expected.spec()});
  if (!made.ok()) return Damaged(file, made.status().message());
  const std::shared_ptr<const lincls::FrozenBackbone> backbone = *std::move(made);
  absl::Status same = moco::CheckEqual(backbone->State(), expected.State());
  if (format != "detectron2") same.Update(moco::CheckEqual(layer, exported_.layer));
  if (!same.ok()) return Damaged(file, same.message());
  return
      [this, backbone](const at::Tensor& images, const at::Tensor&) -> absl::StatusOr<at::Tensor> {
        return exported_.Output((*backbone)(images));
      };
}

absl::StatusOr<double> Verifier::Difference(const std::string& path, const std::string& format,
                                            base::Progress& progress) const {
  const auto network = Read(path, format);
  if (!network.ok()) return network.status();
  base::Work work(progress, "verifying", images(), "images");
  double squares = 0, norm = 0;
  for (int64_t i = 0; i < images(); ++i) {
    const at::Tensor image = images_.narrow(0, i, 1);
    const auto output = (*network)(image, bytes_.defined() ? bytes_.narrow(0, i, 1) : at::Tensor());
    if (!output.ok()) return output.status();
    const at::Tensor expected = exported_.Output((*exported_.backbone)(image));
    if (output->sizes() != expected.sizes()) {
      return Damaged(path, "gives an output of another length");
    }
    squares += (*output - expected).square().sum().item<double>();
    norm += expected.square().sum().item<double>();
    work.Done(i + 1);
  }
  const double difference = std::sqrt(squares / norm);
  if (!(difference <= kRounding)) {
    return Damaged(path, absl::StrCat("gives another output than the checkpoint: they differ by ",
                                      difference, " of their norm"));
  }
  return difference;
}

}  // namespace tools
