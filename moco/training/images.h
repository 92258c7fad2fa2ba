// Conversion between the memory of the loader and the tensors of the network.
#ifndef MOCO_TRAINING_IMAGES_H_
#define MOCO_TRAINING_IMAGES_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "augment/augmentation.h"
#include "data/dataset.h"
#include "data/loader.h"
#include "moco/communicators/communicator.h"

namespace moco {

// Returns the pipeline as a function for the loader, without the steps that ViewTensor and
// DeviceViews make (Pipeline::Image). InvalidArgument if its result is not a float
// image of fixed size (it must end with to_tensor, perhaps followed by normalize, after a crop).
absl::StatusOr<data::ViewFunction> MakeView(const augment::Pipeline& pipeline);

// Returns loader options with `views` views of the pipeline, in memory from which `device` can copy
// at any time, and otherwise the defaults of LoaderOptions. Errors are those of MakeView.
absl::StatusOr<data::LoaderOptions> LoaderOf(const augment::Pipeline& pipeline, size_t views,
                                             at::Device device = at::kCPU);

// Returns view `v` of a batch that LoaderOf(pipeline) made: N x C x H x W, channels_last, float32,
// normalized.
at::Tensor ViewTensor(const data::Batch& batch, size_t v, const augment::Pipeline& pipeline);

// Features and labels of the images of a data set, in its order. Images that cannot be read are
// left out.
struct Features {
  at::Tensor features;  // N x D, float32; N x V D for V views: those of the first view come first
  at::Tensor labels;    // N, int64; -1: none
  std::vector<data::BadImage> bad_images;
  at::Tensor images;  // N, int64: the index of each in the data set
};

struct FeatureOptions {
  int loader_threads = 1;
  int64_t max_bad_images = 0;
  int64_t views = 1;  // of each image, for a pipeline that is random
  uint64_t seed = 0;  // of its random numbers, together with image and view
  int64_t images_at_a_time = 250;  // a rank's batch; with several views, so many of them
};

// Applies `network` (N x C x H x W float32 on the CPU to N x D on any device) to every image of
// `dataset`, transformed by `pipeline`, without gradients. The result is on the CPU. The ranks
// process the images in turn, each `options.images_at_a_time`, and each rank gets the features of all, but
// only the bad images that it has found itself. DataLoss if more than `max_bad_images` images
// cannot be read, or if none can.
absl::StatusOr<Features> ExtractFeatures(
    const data::Dataset& dataset, const augment::Pipeline& pipeline,
    const std::function<at::Tensor(const at::Tensor&)>& network, const FeatureOptions& options,
    Communicator& communicator);

}  // namespace moco

#endif  // MOCO_TRAINING_IMAGES_H_
