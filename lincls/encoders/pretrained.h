// What programs that look at a pretrained encoder ask first: which checkpoint, and how its images
// are to be seen.
#ifndef LINCLS_ENCODERS_PRETRAINED_H_
#define LINCLS_ENCODERS_PRETRAINED_H_

#include <string>

#include "absl/status/statusor.h"
#include "data/dataset.h"
#include "moco/checkpoints/checkpoint.h"

namespace lincls {

// The checkpoint that `given` names: a file, or the newest of a run folder or of a folder of them;
// with nothing given, the newest in ./runs. NotFound, saying how to make one.
absl::StatusOr<std::string> FindPretrained(const std::string& given);

// Where the checkpoint's run keeps its things.
std::string RunFolderOf(const std::string& checkpoint);

// Where it keeps the network (lincls/encoders/frozen_backbone.h): kClassifier when it is a linear
// classifier's, which has a layer above the backbone, else kPretrained.
const char* PrefixOf(const moco::Checkpoint& checkpoint);

// The pipeline through which the encoder is to see its images: `given`, or else the one that the
// checkpoint holds, what is usual for the data, or the reference's for 224 pixels.
std::string EvaluationViews(const std::string& given, const moco::Checkpoint& checkpoint,
                            const data::ViewDefaults& usual, int channels);

// A number for the tensors, to see that a file of the same name holds others: 8 hexadecimal digits.
std::string Fingerprint(const moco::StateDict& state);

}  // namespace lincls

#endif  // LINCLS_ENCODERS_PRETRAINED_H_
