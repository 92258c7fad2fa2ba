#include "moco/training/images.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "augment/ops.h"
#include "moco/communicators/agreement.h"
#include "moco/to_device.h"

namespace moco {
namespace {
constexpr int64_t kValuesForAThread = 32768;  // fewer are not worth a thread
}  // namespace

absl::StatusOr<data::ViewFunction> MakeView(const augment::Pipeline& pipeline) {
  const augment::ImageType& type = pipeline.output();
  if (type.rows == 0 || type.cols == 0 || !type.tensor) {
    return absl::InvalidArgumentError(absl::StrCat(
        "views '", pipeline.spec(),
        "' must contain a crop of fixed size and end with to_tensor or with to_tensor|normalize"));
  }
  return [pipeline](const cv::Mat& image, base::Rng& rng) { return pipeline.Image(image, rng); };
}

absl::StatusOr<data::LoaderOptions> LoaderOf(const augment::Pipeline& pipeline, size_t views,
                                             at::Device device) {
  auto view = MakeView(pipeline);
  if (!view.ok()) return view.status();
  data::LoaderOptions options;
  options.rows = pipeline.output().rows;
  options.cols = pipeline.output().cols;
  options.channels = pipeline.output().channels;
  options.views.assign(views, *view);
  if (!device.is_cpu()) {
    options.allocate = [device](size_t bytes) {
      const at::Tensor memory = HostTensor({static_cast<int64_t>(bytes)}, at::kByte, device);
      return std::shared_ptr<void>(memory.mutable_data_ptr(), [memory](void*) {});
    };
  }
  return options;
}

at::Tensor ViewTensor(const data::Batch& batch, size_t v, const augment::Pipeline& pipeline) {
  const augment::ImageType& type = pipeline.output();
  const int64_t values = int64_t{1} * type.rows * type.cols * type.channels;
  const at::Tensor floats = at::empty({batch.size, type.rows, type.cols, type.channels});
  float* const out = floats.mutable_data_ptr<float>();
  const auto write = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const cv::Range rows(static_cast<int>(i) * type.rows, static_cast<int>(i + 1) * type.rows);
      augment::WriteFloats(batch.views[v].rowRange(rows), pipeline.normalizations(),
                           out + i * values);
    }
  };
  at::parallel_for(0, batch.size, std::max<int64_t>(1, kValuesForAThread / values), write);
  return floats.permute({0, 3, 1, 2});
}

absl::StatusOr<Features> ExtractFeatures(
    const data::Dataset& dataset, const augment::Pipeline& pipeline,
    const std::function<at::Tensor(const at::Tensor&)>& network, const FeatureOptions& extraction,
    Communicator& communicator) {
  auto made = LoaderOf(pipeline, extraction.views);
  if (!made.ok()) return made.status();
  data::LoaderOptions& options = *made;
  // Several views take no more memory than one.
  options.batch_size =
      std::max<int64_t>(extraction.images_at_a_time / extraction.views, 1) * communicator.size();
  options.rank = communicator.rank();
  options.ranks = communicator.size();
  options.shuffle = false;
  options.drop_last = false;
  options.seed = extraction.seed;
  options.threads = extraction.loader_threads;
  options.max_bad_images = extraction.max_bad_images;
  options.last_step = (dataset.size() + options.batch_size - 1) / options.batch_size;
  if (dataset.size() < communicator.size()) {
    return absl::InvalidArgumentError(absl::StrCat(dataset.size(), " images cannot be shared by ",
                                                   communicator.size(), " ranks; start fewer"));
  }
  auto loader = data::Loader::Create(dataset, options);
  if (!loader.ok()) return loader.status();

  at::NoGradGuard no_grad;
  std::vector<at::Tensor> features, labels, read;
  for (int64_t step = 0; step < options.last_step; ++step) {
    if (absl::Status stop = StopRequested(communicator); !stop.ok()) return stop;
    auto batch = (*loader)->Next();
    if (!batch.ok()) return batch.status();
    if ((*batch)->size == 0) continue;  // none of the last images belongs to this rank
    const int64_t first = step * options.batch_size + options.rank;
    std::vector<int64_t> is_itself;  // not the substitute for a bad image
    for (int64_t i = 0; i < (*batch)->size; ++i) {
      is_itself.push_back((*batch)->samples[i] == first + i * options.ranks);
    }
    std::vector<at::Tensor> of_views;
    for (int64_t v = 0; v < extraction.views; ++v) {
      of_views.push_back(network(ViewTensor(**batch, v, pipeline)).to(at::kCPU, at::kFloat));
    }
    features.push_back(of_views.size() == 1 ? of_views[0] : at::cat(of_views, 1));
    labels.push_back(at::tensor((*batch)->labels, at::kLong));
    read.push_back(at::tensor(is_itself, at::kLong));
  }
  const auto all = [&](const std::vector<at::Tensor>& own) {
    return AllGatherUneven(communicator, at::cat(own), dataset.size());
  };
  const at::Tensor index = all(read).nonzero().squeeze(1);
  return Features{all(features).index_select(0, index), all(labels).index_select(0, index),
                  (*loader)->bad_images(), index};
}

}  // namespace moco
