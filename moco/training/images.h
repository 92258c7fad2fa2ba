// Between the loader's memory and the network's tensors.
#ifndef MOCO_TRAINING_IMAGES_H_
#define MOCO_TRAINING_IMAGES_H_

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "augment/augmentation.h"
#include "data/dataset.h"
#include "data/loader.h"
#include "moco/communicators/communicator.h"

namespace moco {

// The pipeline as what the loader asks for. InvalidArgument when its result is not a float image of
// a fixed size (it must end with to_tensor, perhaps normalize, after a crop).
absl::StatusOr<data::ViewFunction> MakeView(const augment::Pipeline& pipeline);

// Loader options with `views` views of the pipeline; everything else is as LoaderOptions has it.
// Errors are MakeView's.
absl::StatusOr<data::LoaderOptions> LoaderOf(const augment::Pipeline& pipeline, size_t views);

// View `v` of a batch: N x C x H x W, channels_last, float32, on the batch's own memory, without a
// copy.
at::Tensor ViewTensor(const data::Batch& batch, size_t v, const augment::ImageType& type);

// Features and labels of the images of a data set, each once, in its order. Images that cannot be
// read are left out.
struct Features {
  at::Tensor features;  // N x D, float32
  at::Tensor labels;    // N, int64; -1: none
  std::vector<data::BadImage> bad_images;
};

// Runs `network` (N x C x H x W float32, of the CPU, to N x D, of any device) over `dataset` as
// `pipeline` shows it, without gradients. The result is the CPU's. The ranks take the images in
// turn, and each gets the result of all, with the bad images that it has met itself. DataLoss when
// more than `max_bad_images` images cannot be read, or none can.
absl::StatusOr<Features> ExtractFeatures(
    const data::Dataset& dataset, const augment::Pipeline& pipeline,
    const std::function<at::Tensor(const at::Tensor&)>& network, int loader_threads,
    int64_t max_bad_images, Communicator& communicator);

}  // namespace moco

#endif  // MOCO_TRAINING_IMAGES_H_
