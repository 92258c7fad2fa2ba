#include "moco/backbones/resnet_shapes.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace moco {
namespace {

constexpr const TorchvisionResNet* kTorchvision[] = {
    &kResNet18,        &kResNet34,         &kResNet50,         &kResNet101,      &kResNet152,
    &kResNeXt50_32x4d, &kResNeXt101_32x8d, &kResNeXt101_64x4d, &kWideResNet50_2, &kWideResNet101_2};

// The sizes of a convolution's weight: out, in / groups, rows, cols.
const std::vector<int64_t>* Convolution(const ShapesByName& shapes, const std::string& name) {
  const auto found = shapes.find(name + ".weight");
  return found == shapes.end() || found->second.size() != 4 ? nullptr : &found->second;
}

absl::Status NoResNet(absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("holds no ResNet that is registered here: ", why,
                                                 "; give --arch if another backbone was trained"));
}

}  // namespace

absl::StatusOr<std::string> ResNetOfShapes(const ShapesByName& shapes,
                                           absl::string_view small_stem) {
  const auto* stem = Convolution(shapes, "conv1");
  if (stem == nullptr) return NoResNet("there is no convolution 'conv1'");
  const int64_t width = (*stem)[0], kernel = (*stem)[2];
  if (kernel != 3 && kernel != 7) {
    return NoResNet(absl::StrCat("'conv1' is a convolution of ", kernel, "x", (*stem)[3]));
  }
  std::vector<int64_t> blocks;
  for (int stage = 1;; ++stage) {
    int64_t count = 0;
    while (Convolution(shapes, absl::StrCat("layer", stage, ".", count, ".conv1"))) ++count;
    if (count == 0) break;
    blocks.push_back(count);
  }
  if (blocks.empty()) return NoResNet("there is no convolution 'layer1.0.conv1'");
  const bool bottleneck = Convolution(shapes, "layer1.0.conv3") != nullptr;
  int64_t groups = 1, width_per_group = 64;
  if (bottleneck) {
    const auto* inner = Convolution(shapes, "layer1.0.conv2");
    if (inner == nullptr || (*inner)[1] < 1) return NoResNet("'layer1.0.conv2' is missing");
    groups = (*inner)[0] / (*inner)[1];
    width_per_group = (*inner)[1];
    if (groups == 1) width_per_group = (*inner)[0];
  }
  const std::string options = absl::StrCat("stem=", kernel == 7 ? kResNetStems[0].name : small_stem,
                                           ",channels=", (*stem)[1]);
  for (const TorchvisionResNet* net : kTorchvision) {
    if (width == 64 && net->bottleneck == bottleneck && net->groups == groups &&
        (!bottleneck || net->width_per_group == width_per_group) &&
        std::equal(blocks.begin(), blocks.end(), net->blocks.begin(), net->blocks.end())) {
      return absl::StrCat(net->name, ":", options);
    }
  }
  if (!bottleneck &&
      std::count(blocks.begin(), blocks.end(), blocks[0]) == static_cast<int64_t>(blocks.size())) {
    return absl::StrCat("resnet_small:width=", width, ",blocks=", blocks[0],
                        ",stages=", blocks.size(), ",", options);
  }
  return NoResNet(absl::StrCat("it has ", absl::StrJoin(blocks, ", "),
                               bottleneck ? " bottleneck" : " basic", " blocks, ", width,
                               " channels in the first stage",
                               groups > 1 ? absl::StrCat(" and ", groups, " groups") : ""));
}

}  // namespace moco
