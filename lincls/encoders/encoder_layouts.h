// Where this program and others keep the pretrained backbone in a state dict.
#ifndef LINCLS_ENCODERS_ENCODER_LAYOUTS_H_
#define LINCLS_ENCODERS_ENCODER_LAYOUTS_H_

#include "absl/status/statusor.h"
#include "moco/checkpoints/state_dict.h"

namespace lincls {

// The backbone, without `fc.`, under the names that ours have, which are torchvision's: of MoCo v1
// and v2 the query encoder, of MoCo v3, lightly, solo-learn, mmselfsup, vissl and torchvision the
// ResNet. The names decide whose state dict it is. InvalidArgument says what was found and what was
// expected; it is to be read after the file's name.
absl::StatusOr<moco::StateDict> FindEncoder(const moco::StateDict& state);

}  // namespace lincls

#endif  // LINCLS_ENCODERS_ENCODER_LAYOUTS_H_
