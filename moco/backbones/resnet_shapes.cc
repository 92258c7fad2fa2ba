#include "moco/backbones/resnet_shapes.h"

#include <algorithm>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

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

// A convolution of a block that is missing, and a tensor that shows that the network has it.
struct Gap {
  std::string missing, sign;
};

// Returns the first gap: a block that has other layers, or that lies before such a block, has all
// of its convolutions. Without this check, the blocks would be counted up to the gap, and the
// network taken for a smaller one.
std::optional<Gap> FindGap(const ShapesByName& shapes) {
  std::map<int, std::map<int, std::string>> signs;  // a tensor of each block, by stage and block
  int convolutions = 2;
  for (const auto& [name, shape] : shapes) {
    const std::vector<absl::string_view> parts = absl::StrSplit(name, '.');
    absl::string_view layer = parts[0];
    int stage, block;
    if (parts.size() < 4 || !absl::ConsumePrefix(&layer, "layer") ||
        !absl::SimpleAtoi(layer, &stage) || !absl::SimpleAtoi(parts[1], &block) || stage < 1 ||
        block < 0) {
      continue;
    }
    absl::string_view number = parts[2];
    const bool numbered =
        absl::ConsumePrefix(&number, "conv") || absl::ConsumePrefix(&number, "bn");
    if (!numbered || (number != "1" && number != "2" && number != "3")) continue;
    if (number == "3") convolutions = 3;
    signs[stage].emplace(block, name);
  }
  if (signs.empty()) return std::nullopt;
  const int stages = signs.rbegin()->first;
  for (int stage = 1; stage <= stages; ++stage) {
    const std::map<int, std::string>& blocks = signs[stage];
    const int last = blocks.empty() ? 0 : blocks.rbegin()->first;
    for (int block = 0; block <= last; ++block) {
      const auto own = blocks.find(block);
      const std::string& sign = own != blocks.end() ? own->second
                                : blocks.empty()    ? signs.rbegin()->second.begin()->second
                                                    : blocks.rbegin()->second;
      for (int i = 1; i <= convolutions; ++i) {
        const std::string name = absl::StrCat("layer", stage, ".", block, ".conv", i);
        if (Convolution(shapes, name) == nullptr) return Gap{name + ".weight", sign};
      }
    }
  }
  return std::nullopt;
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
  if (const auto gap = FindGap(shapes)) {
    return NoResNet(absl::StrCat("the convolution '", gap->missing, "' is missing beside '",
                                 gap->sign, "', as in a file that is not whole"));
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
    if ((*inner)[1] < 1) return NoResNet("'layer1.0.conv2' has no channels");
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
