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
  // Returns the features of images, N x feature_dim(). images: N x channels x H x W in the
  // parameters' dtype, channels_last; 1 to 64 channels, as the backbone was made for.
  virtual at::Tensor forward(const at::Tensor& images) = 0;

  virtual int64_t feature_dim() const = 0;

  // Returns the output of each stage of the network, averaged over the image: a matrix N x width
  // for each stage, from the first to the last, which is forward(images); nothing for a network
  // without stages. Lower stages respond to simpler patterns. images as for forward().
  virtual std::vector<at::Tensor> Stages(const at::Tensor& images) { return {}; }

  // Draws those initial values that the constructor does not draw. Called once, after the head's
  // layers have been made: torchvision makes its classifier before it initialises the convolutions,
  // and in this order the same seed gives the same weights as there, bit for bit.
  virtual void Initialize() {}
};

// What a backbone gets from the program, besides its own options.
struct BackboneContext {
  // Number of equal parts of a training batch that have batch statistics of their own. In one
  // process they stand for the GPUs of section 3.3 of the MoCo paper. At least 1.
  int64_t bn_splits = 1;
};

// Returns the number of image channels that a backbone takes: its option `channels`, or 3 if it has
// none. Errors are those of the spec.
absl::StatusOr<int> ImageChannels(const std::string& spec);

using BackboneRegistry = registry::Registry<Backbone, const BackboneContext&>;
BackboneRegistry& Backbones();

}  // namespace moco

#endif  // MOCO_BACKBONES_BACKBONE_H_
