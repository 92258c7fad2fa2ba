// The weights of another network with which pretraining starts (--init).
#ifndef MOCO_TRAINING_INITIAL_WEIGHTS_H_
#define MOCO_TRAINING_INITIAL_WEIGHTS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "moco/checkpoints/find_encoder.h"
#include "moco/checkpoints/state_dict.h"
#include "moco/moco.h"

namespace moco {

struct InitialWeights {
  std::string path;         // of the checkpoint
  std::string spec;         // canonical, of the backbone that the file holds
  std::string note;         // as in FoundEncoder
  std::string fingerprint;  // of the tensors (16 hexadecimal digits)
  StateDict backbone;
  StateDict head;  // of a MoCo encoder; empty for other files
};

// Reads the encoder of a checkpoint, or of the newest one in a run folder, as FindEncoder finds it.
// `arch`: the spec of the run, for files from which the backbone cannot be told; may be empty.
// NotFound; otherwise the errors of ReadCheckpoint and FindEncoder, with the file's name.
absl::StatusOr<InitialWeights> ReadInitialWeights(const std::string& path,
                                                  const EncoderChoice& choice,
                                                  const std::string& arch);

// Returns the weight of a first convolution (out x in x rows x cols) for images of `channels`
// channels: the sum over the channels for grey images; otherwise the channels repeated in turn and
// scaled by in / channels, so that equal channels have the same response as before.
at::Tensor ForChannels(const at::Tensor& weight, int64_t channels);

// Gives them to the query and the key encoder. A head of other shapes keeps its drawn values.
// Returns what was taken, as text. InvalidArgument, naming the first difference, if the backbone is
// another one.
absl::StatusOr<std::string> Load(const InitialWeights& weights, MoCo& moco);

}  // namespace moco

#endif  // MOCO_TRAINING_INITIAL_WEIGHTS_H_
