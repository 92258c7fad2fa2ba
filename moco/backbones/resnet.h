// Residual networks (He et al., "Deep residual learning for image recognition", CVPR 2016), wide
// ones (Zagoruyko and Komodakis, "Wide residual networks", BMVC 2016) and ResNeXt (Xie et al.,
// "Aggregated residual transformations for deep neural networks", CVPR 2017) with the layers, names
// and order of torchvision, so that weights can be exchanged in both directions, and one seed gives
// the same network.
#ifndef MOCO_BACKBONES_RESNET_H_
#define MOCO_BACKBONES_RESNET_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "moco/backbones/backbone.h"

namespace moco {

struct ResNetShape {
  bool bottleneck = false;      // 1x1, 3x3, 1x1 blocks that widen 4 times, instead of two 3x3
  std::vector<int64_t> blocks;  // per stage; stages after the first halve the resolution
  int64_t width = 64;           // channels of the first stage; each stage doubles them
  // Of the 3x3 convolution in a bottleneck: groups, and channels of each where `width` is 64.
  int64_t groups = 1;
  int64_t width_per_group = 64;
  std::string stem = "imagenet";  // the name of one of kResNetStems (resnet_shapes.h)
  int64_t channels = 3;           // of an image
};

std::unique_ptr<Backbone> MakeResNet(const ResNetShape& shape, const BackboneContext& context);

}  // namespace moco

#endif  // MOCO_BACKBONES_RESNET_H_
