// Which backbone an encoder in a checkpoint is.
#ifndef MOCO_CHECKPOINTS_ENCODER_SPEC_H_
#define MOCO_CHECKPOINTS_ENCODER_SPEC_H_

#include <string>

#include "absl/status/statusor.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/checkpoints/encoder_candidates.h"

namespace moco {

// Returns the canonical spec if the checkpoint or the user (`arch`; may be empty) states it in
// full; empty if the shapes decide. InvalidArgument: the two differ; NotFound: it is unknown.
absl::StatusOr<std::string> StatedSpec(const Checkpoint& checkpoint, const std::string& arch);

// Returns the canonical spec of a candidate. `all`: the tensors of the checkpoint; `stated`: what
// StatedSpec returned. InvalidArgument, to be read after the checkpoint's name: its shapes or names
// are those of no backbone, or the file shows that it is another network.
absl::StatusOr<std::string> SpecOf(const Checkpoint& checkpoint, const StateDict& all,
                                   const Candidate& candidate, const std::string& stated);

// Returns what the shapes and names alone say.
absl::StatusOr<std::string> SpecOfShapes(const StateDict& all, const Candidate& candidate);

// Whether the checkpoint has a spec with options where others have a network's name. Unlike a name,
// it tells the stem.
bool NameIsSpec(const Checkpoint& checkpoint);

// Whether the names tell the stem from all others.
bool TellsStem(const EncoderNames& names);

}  // namespace moco

#endif  // MOCO_CHECKPOINTS_ENCODER_SPEC_H_
