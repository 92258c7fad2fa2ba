// State dicts as other programs take them. Files appear whole or not at all.
#ifndef TOOLS_EXPORT_FORMATS_H_
#define TOOLS_EXPORT_FORMATS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "moco/checkpoints/state_dict.h"

namespace tools {

// The tensors under detectron2's names of a ResNet, from torchvision's: layer1.0.bn2.weight is
// res2.0.conv2.norm.weight, conv1.weight is stem.conv1.weight. InvalidArgument names a tensor that
// no ResNet has.
absl::StatusOr<moco::StateDict> Detectron2Names(const moco::StateDict& state);

// The inverse.
moco::StateDict TorchvisionNames(const moco::StateDict& state);

// Tensors contiguous, aligned to their elements, the widest elements first. InvalidArgument names
// a tensor of a dtype that safetensors does not know.
absl::Status WriteSafetensors(const std::string& path, const moco::StateDict& state);

// {"model": the tensors as NumPy arrays, ...}, as detectron2 loads a `.pkl`. InvalidArgument names
// a tensor that NumPy or the format cannot hold.
absl::Status WriteDetectron2(const std::string& path, const moco::StateDict& state);

}  // namespace tools

#endif  // TOOLS_EXPORT_FORMATS_H_
