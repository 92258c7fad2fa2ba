// The encoder in a checkpoint, whichever program wrote it: the tensors of a backbone are looked for
// below any prefix of names.
#ifndef MOCO_CHECKPOINTS_FIND_ENCODER_H_
#define MOCO_CHECKPOINTS_FIND_ENCODER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "moco/checkpoints/checkpoint.h"

namespace moco {

class Backbone;

// What the user says of the encoder.
struct EncoderChoice {
  std::string arch = {};  // spec of the backbone; empty: the checkpoint's, or the one of its shapes
  std::string prefix = {};   // of its names, such as "teacher.backbone."; empty: found
  std::string weights = {};  // "ema": averaged ones, "raw": others; empty: the usual ones
};

struct FoundEncoder {
  std::string spec;  // canonical
  // In evaluation mode, with the tensors of the checkpoint, on the CPU, convolutions channels_last;
  // the parameters require no gradient.
  std::shared_ptr<Backbone> backbone;
  std::string prefix;  // of the names in the checkpoint
  std::string note;    // what was taken where there was a choice, and what was assumed; or nothing
};

// Finds the prefix below which a checkpoint has the names of the backbone, in torchvision's form or
// one of those of AllEncoderNames(), and loads the tensors there. Other tensors are ignored, except
// those of parts that the backbone has, too: "layer1.0.se.fc1.weight" is another network's. The
// number of batches that a normalisation has seen may be missing.
//
// Where several prefixes fit, the order is: averaged weights (ema, swa); those without such a word,
// which include the query encoder and the online network; teacher; student; then the networks that
// follow another one by momentum (key, target). Among equal ones, the first in the file is taken.
//
// InvalidArgument, to be read after the checkpoint's name: there is no such encoder, or its tensors
// do not fit the backbone, or the checkpoint names another network; NotFound: the backbone is
// unknown.
absl::StatusOr<FoundEncoder> FindEncoder(const Checkpoint& checkpoint, const EncoderChoice& choice);

}  // namespace moco

#endif  // MOCO_CHECKPOINTS_FIND_ENCODER_H_
