// State dicts in the formats of other programs. Files appear completely or not at all.
#ifndef TOOLS_EXPORT_FORMATS_H_
#define TOOLS_EXPORT_FORMATS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "moco/checkpoints/state_dict.h"

namespace tools {

// Renames the tensors of a ResNet from torchvision's names to detectron2's: layer1.0.bn2.weight
// becomes res2.0.conv2.norm.weight, conv1.weight becomes stem.conv1.weight. InvalidArgument names a
// tensor that no ResNet has.
absl::StatusOr<moco::StateDict> Detectron2Names(const moco::StateDict& state);

// The inverse.
moco::StateDict TorchvisionNames(const moco::StateDict& state);

// The tensors are contiguous and aligned to their elements, those with the widest elements first.
// `classes`, if there are any, are in the file's metadata, as a JSON list under this name.
// InvalidArgument names a tensor of a dtype that safetensors does not support.
absl::Status WriteSafetensors(const std::string& path, const moco::StateDict& state,
                              const std::vector<std::string>& classes = {});

// The names as the text of a JSON list. Bytes that are not UTF-8 are replaced.
std::string JsonList(const std::vector<std::string>& names);

// Writes {"model": the tensors as NumPy arrays, ...}, the form in which detectron2 loads a `.pkl`.
// InvalidArgument names a tensor that NumPy or the format cannot hold.
absl::Status WriteDetectron2(const std::string& path, const moco::StateDict& state);

}  // namespace tools

#endif  // TOOLS_EXPORT_FORMATS_H_
