// Augmentations: the steps that turn a decoded image into a view for the network, as plugins on
// cv::Mat.
//
// Images are CV_8U, or CV_32F with values from 0 to 1 (those of more than 8 bits, data/decode.h),
// in RGB if they have three channels, until `to_tensor` makes them tensors: float, 0 to 1 before
// `normalize`. Each step computes what torchvision's transform of the same name computes on a PIL
// image, or on a float tensor (augment/ops.h).
#ifndef AUGMENT_AUGMENTATION_H_
#define AUGMENT_AUGMENTATION_H_

#include <memory>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "augment/ops.h"
#include "base/rng.h"
#include "registry/registry.h"

namespace augment {

// What is known of an image in advance, so that a pipeline is checked before the first batch.
struct ImageType {
  int rows = 0, cols = 0;  // 0: not the same for all images
  bool tensor = false;     // after to_tensor
  int channels = 3;        // 1 (grey), 2 (with alpha), 3 (RGB), 4, or up to 64
};

class Augmentation {
 public:
  virtual ~Augmentation() = default;

  // The type of the result for an input of type `in`; InvalidArgument if the step cannot take such
  // an input (for example a step on colours after to_tensor). By default, the type of the result is
  // `in`, which must not be a tensor.
  virtual absl::StatusOr<ImageType> Output(const ImageType& in) const;

  // For a step from to_tensor on that is the same function of every value of a channel: the
  // constants of its normalization, one for each channel, or none for to_tensor itself. A loader
  // hands the image out as it was before such steps, and they follow where the network computes. By
  // default the step is no such step.
  virtual std::optional<ChannelConstants> Normalization(int channels) const { return std::nullopt; }

  // Draws this step's parameters from `rng` and applies it to `image`, which has at least one
  // pixel. The result goes into a new Mat, since others may share the pixels of `image`, unless it
  // is known that this pipeline made them. Thread-safe.
  virtual void Apply(base::Rng& rng, cv::Mat& image) const = 0;
};

// The Output of a step that requires colours: InvalidArgument unless there are three channels.
absl::StatusOr<ImageType> OutputOfColours(const ImageType& in);

using AugmentationRegistry = registry::Registry<Augmentation>;
AugmentationRegistry& Augmentations();

// A sequence of steps: `random_resized_crop:size=32|flip|to_tensor|normalize`.
class Pipeline {
 public:
  // A pipeline for images of `channels`. Errors: those of the specs, and InvalidArgument
  // for steps that do not fit each other or the channels.
  static absl::StatusOr<Pipeline> Create(absl::string_view specs, int channels = 3);

  // The type of the result.
  const ImageType& output() const { return output_; }

  // A function of the image and the stream alone.
  cv::Mat operator()(const cv::Mat& image, base::Rng& rng) const;

  // The same without the last steps, if these only make floats of the image and normalize them:
  // CV_8U or CV_32F. Then WriteFloats(Image(image, rng), normalizations()) gives the result of the
  // whole pipeline, to the bit. If other steps follow to_tensor, this is the whole pipeline, and
  // there are no normalizations.
  cv::Mat Image(const cv::Mat& image, base::Rng& rng) const;
  const std::vector<ChannelConstants>& normalizations() const { return normalizations_; }

  struct StepType {
    std::string spec;  // canonical
    ImageType output;
  };
  const std::vector<StepType>& steps() const { return types_; }

  // The image after each step. The last one is what operator() returns.
  std::vector<cv::Mat> Trace(const cv::Mat& image, base::Rng& rng) const;

  // The canonical specs, every option spelled out.
  const std::string& spec() const { return spec_; }

 private:
  void FindNormalizations(size_t to_tensor);

  std::vector<std::shared_ptr<const Augmentation>> steps_;
  std::vector<StepType> types_;  // of each step
  size_t image_steps_ = 0;  // those of Image()
  std::vector<ChannelConstants> normalizations_;
  ImageType output_;
  std::string spec_;
};

}  // namespace augment

#endif  // AUGMENT_AUGMENTATION_H_
