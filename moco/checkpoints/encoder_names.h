// How other programs name the tensors of a ResNet where they do not use torchvision's names.
#ifndef MOCO_CHECKPOINTS_ENCODER_NAMES_H_
#define MOCO_CHECKPOINTS_ENCODER_NAMES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "moco/checkpoints/state_dict.h"

namespace moco {

// A way to name the tensors. The prefix that stands before all names is not a part of it.
struct EncoderNames {
  const char* program;
  const char* first;   // the name of the first convolution's weight
  const char* marker;  // a further name that must exist
  // One that must not, because it shows another way of naming. Empty: none.
  const char* absent;
  // Returns torchvision's name; empty for a tensor that is not a part of the ResNet.
  std::string (*torchvision)(absl::string_view name);
  // What the names show of the first layers: those are a value of the option `stem` with a ReLU and
  // a pooling as this value has them. lightly's own ResNet applies the first ReLU in its forward(),
  // which a Sequential of its children does not call. Empty: nothing.
  const char* stem = "";
  // What neither names nor shapes show of bottleneck blocks, in the program's words. Empty:
  // nothing.
  const char* assumed = "";
};

// torchvision's own names are the first.
const std::vector<EncoderNames>& AllEncoderNames();

// Removes what wraps a part of the network from a name: torch.compile of a single stage makes
// "layer1._orig_mod.0.conv1.weight" of "layer1.0.conv1.weight". The name's beginning is left as it
// is, since wrappers there are a part of the prefix.
std::string WithoutInnerWrappers(absl::string_view name);

// Replaces the running statistics of lightly's split batch normalisation, which holds those of all
// parts one after the other, by their mean, which it uses in evaluation. `backbone` has
// torchvision's names.
void JoinSplitStatistics(StateDict& backbone);

}  // namespace moco

#endif  // MOCO_CHECKPOINTS_ENCODER_NAMES_H_
