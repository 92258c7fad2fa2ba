// The options of the linear protocol, and its validation of a classifier.
#ifndef LINCLS_LINEAR_VALIDATION_H_
#define LINCLS_LINEAR_VALIDATION_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/dataset.h"
#include "lincls/encoders/frozen_backbone.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/communicators/communicator.h"
#include "moco/measures/linear_probe.h"
#include "moco/report/predictions.h"
#include "moco/training/images.h"
#include "moco/training/training_run.h"

namespace lincls {

struct LinearOptions : moco::RunOptions {
  double momentum = 0.9;
  double weight_decay = 0;

  std::string views;       // pipeline of training
  std::string eval_views;  // and of validation

  std::string pretrained;  // the checkpoint that contains the encoder
};

// Returns features and labels of the validation images, with the evaluation views. Collective.
absl::StatusOr<moco::Features> ValidationFeatures(const LinearOptions& options,
                                                  const data::Dataset& validation,
                                                  const FrozenBackbone& encoder,
                                                  moco::Communicator& communicator);

// Creates a classifier of `classes` classes on the encoder's features, with initial weights.
absl::StatusOr<std::unique_ptr<moco::LinearProbe>> MakeProbe(const LinearOptions& options,
                                                             const FrozenBackbone& encoder,
                                                             int64_t classes,
                                                             moco::Communicator& communicator);

// Loads the checkpoint's classifier into `probe`. InvalidArgument, to be read after the
// checkpoint's name, if the classifier is missing or has other classes than the data.
absl::Status LoadProbe(const moco::Checkpoint& checkpoint, const data::Dataset& dataset,
                       const moco::LinearProbe& probe);

// Validates the classifier in `checkpoint`. InvalidArgument, to be read after the checkpoint's
// name, if it does not fit the data.
absl::StatusOr<moco::ProbeMetrics> EvaluateLinear(const LinearOptions& options,
                                                  const data::Dataset& validation,
                                                  const FrozenBackbone& encoder,
                                                  const moco::Checkpoint& checkpoint,
                                                  moco::Communicator& communicator);

// What `probe` says of each image of `validation`, whose features are `features`; `classes` are
// those that it was trained on.
std::vector<report::Prediction> PredictionsOf(const moco::LinearProbe& probe,
                                              const moco::Features& features,
                                              const data::Dataset& validation,
                                              const std::vector<std::string>& classes);

}  // namespace lincls

#endif  // LINCLS_LINEAR_VALIDATION_H_
