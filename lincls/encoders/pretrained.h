// Which checkpoint a flag refers to, and by which views its encoder sees images.
#ifndef LINCLS_ENCODERS_PRETRAINED_H_
#define LINCLS_ENCODERS_PRETRAINED_H_

#include <string>

#include "absl/status/statusor.h"
#include "data/dataset.h"
#include "moco/checkpoints/checkpoint.h"

namespace lincls {

// Returns the checkpoint that `given` names: a file, or the newest in a run folder or in a folder
// of run folders. If `given` is empty, the newest in ./runs. NotFound if there is none; the message
// says how to make one.
absl::StatusOr<std::string> FindPretrained(const std::string& given);

// Returns the run folder of a checkpoint.
std::string RunFolderOf(const std::string& checkpoint);

// Returns the pipeline of evaluation: `given`, or else the one in the checkpoint, the usual one of
// the data set, or the reference's for 224 pixels.
std::string EvaluationViews(const std::string& given, const moco::Checkpoint& checkpoint,
                            const data::ViewDefaults& usual, int channels);

// Returns a note if the encoder was trained on images of another --exif than `decode` has;
// otherwise nothing. Checkpoints of other programs do not say.
std::string ExifNote(const moco::Checkpoint& checkpoint, const data::DecodeOptions& decode);

// Returns a checksum of the tensors (8 hexadecimal digits), which shows if a file of the same name
// holds other tensors.
std::string Fingerprint(const moco::Checkpoint& checkpoint);

}  // namespace lincls

#endif  // LINCLS_ENCODERS_PRETRAINED_H_
