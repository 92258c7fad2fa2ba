// What distinguishes the ResNets from one another, and which of them has tensors of given shapes.
#ifndef MOCO_BACKBONES_RESNET_SHAPES_H_
#define MOCO_BACKBONES_RESNET_SHAPES_H_

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace moco {

// The first layers: a convolution without bias, batch normalisation, ReLU, and 3x3 max pooling of
// stride 2.
struct ResNetStem {
  const char* name;  // the value of the option `stem`
  const char* what;
  int64_t kernel, stride, padding;  // of the convolution
  bool relu, pool;
};

inline constexpr ResNetStem kResNetStems[] = {
    {"imagenet", "7x7 convolution of stride 2 and max pooling", 7, 2, 3, true, true},
    {"cifar", "3x3 convolution of stride 1", 3, 1, 1, true, false},
    {"cifar_padded", "the same with a padding of 2, as in solo-learn", 3, 1, 2, true, false},
    {"cifar_linear", "that of cifar without ReLU, as in lightly's tutorials", 3, 1, 1, false,
     false}};

// `name` must be one of them.
constexpr const ResNetStem& StemOf(absl::string_view name) {
  for (const ResNetStem& stem : kResNetStems) {
    if (name == stem.name) return stem;
  }
  return kResNetStems[0];
}

// A network of torchvision.
struct TorchvisionResNet {
  const char* name;
  const char* summary;
  bool bottleneck;
  std::array<int64_t, 4> blocks;  // per stage
  int64_t groups, width_per_group;
};

inline constexpr TorchvisionResNet kResNet18 = {
    "resnet18", "torchvision's ResNet-18", false, {2, 2, 2, 2}, 1, 64};
inline constexpr TorchvisionResNet kResNet34 = {
    "resnet34", "torchvision's ResNet-34", false, {3, 4, 6, 3}, 1, 64};
inline constexpr TorchvisionResNet kResNet50 = {
    "resnet50", "torchvision's ResNet-50", true, {3, 4, 6, 3}, 1, 64};
inline constexpr TorchvisionResNet kResNet101 = {
    "resnet101", "torchvision's ResNet-101", true, {3, 4, 23, 3}, 1, 64};
inline constexpr TorchvisionResNet kResNet152 = {
    "resnet152", "torchvision's ResNet-152", true, {3, 8, 36, 3}, 1, 64};
inline constexpr TorchvisionResNet kResNeXt50_32x4d = {
    "resnext50_32x4d",
    "torchvision's ResNeXt-50 with 32 groups of 4 channels",
    true,
    {3, 4, 6, 3},
    32,
    4};
inline constexpr TorchvisionResNet kResNeXt101_32x8d = {
    "resnext101_32x8d",
    "torchvision's ResNeXt-101 with 32 groups of 8 channels",
    true,
    {3, 4, 23, 3},
    32,
    8};
inline constexpr TorchvisionResNet kResNeXt101_64x4d = {
    "resnext101_64x4d",
    "torchvision's ResNeXt-101 with 64 groups of 4 channels",
    true,
    {3, 4, 23, 3},
    64,
    4};
inline constexpr TorchvisionResNet kWideResNet50_2 = {
    "wide_resnet50_2",
    "torchvision's wide ResNet-50, with 3x3 convolutions of twice the width",
    true,
    {3, 4, 6, 3},
    1,
    128};
inline constexpr TorchvisionResNet kWideResNet101_2 = {
    "wide_resnet101_2",
    "torchvision's wide ResNet-101, with 3x3 convolutions of twice the width",
    true,
    {3, 4, 23, 3},
    1,
    128};

// Shapes of tensors by torchvision's names.
using ShapesByName = std::map<std::string, std::vector<int64_t>>;

// Returns the spec, with its options `stem` and `channels`, of the registered ResNet that has
// tensors of these names and shapes; further names are ignored. The shapes do not tell stems of
// 3x3 convolutions apart: they are read as `small_stem`. InvalidArgument, to be read after the
// file's name, says what no ResNet has.
absl::StatusOr<std::string> ResNetOfShapes(const ShapesByName& shapes,
                                           absl::string_view small_stem);

}  // namespace moco

#endif  // MOCO_BACKBONES_RESNET_SHAPES_H_
