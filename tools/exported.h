// The network that an export writes: found in a checkpoint or a run folder, and checked.
#ifndef TOOLS_EXPORTED_H_
#define TOOLS_EXPORTED_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "lincls/encoders/frozen_backbone.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/checkpoints/state_dict.h"

namespace tools {

struct Exported {
  std::string path;             // the checkpoint's file
  moco::Checkpoint checkpoint;  // without its tensors
  std::unique_ptr<lincls::FrozenBackbone> backbone;
  // Of a linear classifier: weight (classes x features) and bias. Empty for an encoder.
  moco::StateDict layer;
  std::vector<std::string> classes;  // their names; empty: they have none
  int channels = 3;                  // of an image
  std::string views;                 // the evaluation pipeline, as a spec
  bool views_stated = false;         // whether the checkpoint or the user states it

  bool is_classifier() const { return !layer.empty(); }
  int64_t num_classes() const { return is_classifier() ? layer[0].second.size(0) : 0; }

  // The tensors with torchvision's names; those of a classifier's last layer begin with `fc.`.
  moco::StateDict State() const;

  // The classifier's output for features N x feature_dim(); for an encoder, the features.
  at::Tensor Output(const at::Tensor& features) const;
};

// Reads `path`: a checkpoint of pretraining, of a linear classifier or of another program, or a run
// folder, of which the newest checkpoint is taken, or a classifier's best one. `arch` is as for
// FrozenBackbone::Create; `eval_views` replaces the checkpoint's evaluation pipeline.
//
// Every tensor of the network must be there, with its shape, and no other. InvalidArgument, naming
// the file, if not: the first tensor that differs and, if they would fit, the options of the
// backbone. Other errors are those of ReadCheckpoint.
absl::StatusOr<Exported> FindExported(const std::string& path, const std::string& arch,
                                      const std::string& eval_views);

// How images become the network's input, in the terms of other programs: the shorter side is
// resized, the middle is cropped, values become 0 to 1, and each channel is normalised.
struct Preprocessing {
  std::string on_bytes;  // the steps before to_tensor, as a spec; empty: none
  int64_t resize = 0;    // length of the shorter side; 0: on_bytes are other steps than these two
  int64_t crop = 0;      // rows and columns of the result; 0: the same
  std::vector<double> mean, std;  // of each channel
};

// InvalidArgument, to be read after the checkpoint's name, if the evaluation pipeline does not end
// with to_tensor, or to_tensor and normalize.
absl::StatusOr<Preprocessing> PreprocessingOf(const Exported& exported);

}  // namespace tools

#endif  // TOOLS_EXPORTED_H_
