// Where a state dict holds the pretrained backbone, for checkpoints of MoCo++ and of other
// programs.
#ifndef LINCLS_ENCODERS_ENCODER_LAYOUTS_H_
#define LINCLS_ENCODERS_ENCODER_LAYOUTS_H_

#include "absl/status/statusor.h"
#include "moco/checkpoints/state_dict.h"

namespace lincls {

// Returns the backbone without `fc.`, with torchvision's names, which MoCo++ uses, too: for MoCo v1
// and v2 the query encoder; for MoCo v3, lightly, solo-learn, mmselfsup, vissl and torchvision the
// ResNet. The names tell which program wrote the state dict. InvalidArgument, to be read after the
// file's name, says what was found and what was expected.
absl::StatusOr<moco::StateDict> FindEncoder(const moco::StateDict& state);

}  // namespace lincls

#endif  // LINCLS_ENCODERS_ENCODER_LAYOUTS_H_
