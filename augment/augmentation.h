// Augmentations: what is done to one image on its way to the network, as plugins on cv::Mat.
//
// Images have 8 bits a channel, in RGB where there are three, until `to_tensor` makes them float in
// [0, 1]. Each computes what torchvision's transform of that name computes on a PIL image.
#ifndef AUGMENT_AUGMENTATION_H_
#define AUGMENT_AUGMENTATION_H_

#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/rng.h"
#include "registry/registry.h"

namespace augment {

// What is known of an image before there is one: lets a pipeline be checked before the first batch.
struct ImageType {
  int rows = 0, cols = 0;  // 0: differs from image to image
  int depth = CV_8U;       // CV_8U, or CV_32F after to_tensor
  int channels = 3;        // 1 (grey), 2 (with alpha), 3 (RGB) or 4
};

class Augmentation {
 public:
  virtual ~Augmentation() = default;

  // The type of the result for an input of type `in`; InvalidArgument when the step cannot take it
  // (for example a colour step after to_tensor). Most steps keep the size and want 8 bits: the
  // default.
  virtual absl::StatusOr<ImageType> Output(const ImageType& in) const;

  // Draws this step's parameters from `rng` and applies it. `image` may be replaced but its pixels
  // may be shared with others: write into a fresh Mat unless it is known to be this pipeline's own.
  // Thread-safe. `image` has at least one pixel.
  virtual void Apply(base::Rng& rng, cv::Mat& image) const = 0;
};

// The Output of a step that wants colours: InvalidArgument unless there are three channels.
absl::StatusOr<ImageType> OutputOfColours(const ImageType& in);

using AugmentationRegistry = registry::Registry<Augmentation>;
AugmentationRegistry& Augmentations();

// Steps one after the other: `random_resized_crop:size=32|flip|to_tensor|normalize`.
class Pipeline {
 public:
  // For images of 8 bits and `channels`. Errors of the specs, and of steps that do not fit each
  // other or the channels.
  static absl::StatusOr<Pipeline> Create(absl::string_view specs, int channels = 3);

  // The result of any such image.
  const ImageType& output() const { return output_; }

  // A function of the image and the stream alone.
  cv::Mat operator()(const cv::Mat& image, base::Rng& rng) const;

  // The canonical specs, every option spelled out.
  const std::string& spec() const { return spec_; }

 private:
  std::vector<std::shared_ptr<const Augmentation>> steps_;
  ImageType output_;
  std::string spec_;
};

}  // namespace augment

#endif  // AUGMENT_AUGMENTATION_H_
