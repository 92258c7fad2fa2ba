#include "moco/images.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/signals.h"

namespace moco {
namespace {
constexpr int64_t kEvaluationBatch = 250;
}

absl::StatusOr<data::ViewFunction> MakeView(const augment::Pipeline& pipeline) {
  const augment::ImageType& type = pipeline.output();
  if (type.rows == 0 || type.cols == 0 || type.depth != CV_32F) {
    return absl::InvalidArgumentError(
        absl::StrCat("views '", pipeline.spec(),
                     "' must end with to_tensor, perhaps normalize, after a crop of fixed size"));
  }
  const size_t bytes = sizeof(float) * type.channels * type.rows * type.cols;
  return [pipeline, bytes](const cv::Mat& image, base::Rng& rng, float* out) {
    const cv::Mat view = pipeline(image, rng);
    if (view.isContinuous()) {
      std::memcpy(out, view.data, bytes);
    } else {
      view.copyTo(cv::Mat(view.rows, view.cols, view.type(), out));
    }
  };
}

at::Tensor ViewTensor(const data::Batch& batch, size_t v, const augment::ImageType& type) {
  const int64_t rows = type.rows, cols = type.cols, channels = type.channels;
  return at::from_blob(batch.views[v], {batch.size, channels, rows, cols},
                       {rows * cols * channels, 1, cols * channels, channels},
                       at::TensorOptions(at::kFloat));
}

absl::StatusOr<Features> ExtractFeatures(
    const data::Dataset& dataset, const augment::Pipeline& pipeline,
    const std::function<at::Tensor(const at::Tensor&)>& network, int loader_threads,
    int64_t max_bad_images) {
  auto view = MakeView(pipeline);
  if (!view.ok()) return view.status();
  data::LoaderOptions options;
  options.batch_size = std::min(kEvaluationBatch, dataset.size());
  options.rows = pipeline.output().rows;
  options.cols = pipeline.output().cols;
  options.channels = pipeline.output().channels;
  options.views = {*view};
  options.shuffle = false;
  options.drop_last = false;
  options.threads = loader_threads;
  options.max_bad_images = max_bad_images;
  options.last_step =
      (dataset.size() + options.batch_size - 1) / std::max<int64_t>(options.batch_size, 1);
  auto loader = data::Loader::Create(dataset, options);
  if (!loader.ok()) return loader.status();

  at::NoGradGuard no_grad;
  std::vector<at::Tensor> features, labels;
  for (int64_t step = 0; step < options.last_step; ++step) {
    if (absl::Status stop = base::StopRequested(); !stop.ok()) return stop;
    auto batch = (*loader)->Next();
    if (!batch.ok()) return batch.status();
    const at::Tensor all = network(ViewTensor(**batch, 0, pipeline.output())).to(at::kFloat);
    std::vector<int64_t> read;  // not another that took the place of a bad image
    for (int64_t i = 0; i < (*batch)->size; ++i) {
      if ((*batch)->samples[i] == step * options.batch_size + i) read.push_back(i);
    }
    const at::Tensor index = at::tensor(read, at::kLong);
    features.push_back(all.index_select(0, index));
    labels.push_back(at::tensor((*batch)->labels, at::kLong).index_select(0, index));
  }
  return Features{at::cat(features), at::cat(labels), (*loader)->bad_images()};
}

}  // namespace moco
