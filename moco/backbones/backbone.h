// Backbones: the networks that turn images into features, as plugins.
#ifndef MOCO_BACKBONES_BACKBONE_H_
#define MOCO_BACKBONES_BACKBONE_H_

#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "registry/registry.h"

namespace moco {

// Parameters and buffers are named as torchvision names them; those names are the checkpoint's.
class Backbone : public torch::nn::Module {
 public:
  // Features of images. images: N x 3 x H x W in the parameters' dtype, channels_last.
  // Returns N x feature_dim().
  virtual at::Tensor forward(const at::Tensor& images) = 0;

  virtual int64_t feature_dim() const = 0;

  // What each stage of the network has found, averaged over the image: of lower stages simpler
  // things. images as for forward(). Returns a matrix N x width for each stage, from the first to
  // the last, which is forward(images); nothing for a network without stages.
  virtual std::vector<at::Tensor> Stages(const at::Tensor& images) { return {}; }

  // Draws the initial values that are drawn late. Called once, after the head's layers have been
  // made, since torchvision makes its classifier before it initialises the convolutions: in this
  // order the same seed gives the same weights as there, bit for bit.
  virtual void Initialize() {}
};

// What only the program knows.
struct BackboneContext {
  // Batch normalisation takes its statistics over each of this many equal parts of a training batch
  // (the one-process stand-in for one GPU each, section 3.3 of the MoCo paper). At least 1.
  int64_t bn_splits = 1;
};

// Channels of the images that a backbone takes: its option `channels`, 3 where it has none. Errors
// of the spec.
absl::StatusOr<int> ImageChannels(const std::string& spec);

using BackboneRegistry = registry::Registry<Backbone, const BackboneContext&>;
BackboneRegistry& Backbones();

}  // namespace moco

#endif  // MOCO_BACKBONES_BACKBONE_H_
