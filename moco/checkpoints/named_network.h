// What other programs write of a network beside its tensors, where the tensors alone would be taken
// for those of another network.
#ifndef MOCO_CHECKPOINTS_NAMED_NETWORK_H_
#define MOCO_CHECKPOINTS_NAMED_NETWORK_H_

#include <string>

#include "absl/strings/string_view.h"

namespace moco {

// Returns the network's name in the `config.json` beside `file`, if that is a folder of timm or
// transformers ("resnetaa50"), with what distinguishes it from the usual one of this name
// ("resnet50 with output_stride=16"). Empty if there is none, or nothing that distinguishes it.
std::string NetworkBeside(const std::string& file);

// The same of the text of a configuration of MMEngine: "ResNet with style='caffe'", whose stages
// have their stride in another convolution, or "ResNet with dilations=(1, 1, 2, 4)".
std::string NetworkOfMmengine(absl::string_view config);

}  // namespace moco

#endif  // MOCO_CHECKPOINTS_NAMED_NETWORK_H_
