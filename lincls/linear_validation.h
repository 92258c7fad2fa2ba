// The options of the linear protocol, and its validation of a classifier.
#ifndef LINCLS_LINEAR_VALIDATION_H_
#define LINCLS_LINEAR_VALIDATION_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/dataset.h"
#include "lincls/encoders/frozen_backbone.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/communicators/communicator.h"
#include "moco/measures/linear_probe.h"
#include "moco/training/images.h"
#include "moco/training/training_run.h"

namespace lincls {

struct LinearOptions : moco::RunOptions {
  double momentum = 0.9;
  double weight_decay = 0;

  std::string views;       // pipeline of training
  std::string eval_views;  // and of validation

  std::string pretrained;  // the checkpoint that the encoder is from
};

// Features and labels of the validation images, by the evaluation's views. Collective.
absl::StatusOr<moco::Features> ValidationFeatures(const LinearOptions& options,
                                                  const data::Dataset& validation,
                                                  const FrozenBackbone& encoder,
                                                  moco::Communicator& communicator);

// A classifier of `classes` classes on the encoder's features, with initial weights.
absl::StatusOr<std::unique_ptr<moco::LinearProbe>> MakeProbe(const LinearOptions& options,
                                                             const FrozenBackbone& encoder,
                                                             int64_t classes,
                                                             moco::Communicator& communicator);

// Gives `probe` the checkpoint's classifier. InvalidArgument, to be read after the checkpoint's
// name, when it has other classes than the data or is missing.
absl::Status LoadProbe(const moco::Checkpoint& checkpoint, const data::Dataset& dataset,
                       const moco::LinearProbe& probe);

// Validates the classifier that `checkpoint` holds. InvalidArgument, to be read after the
// checkpoint's name, when it does not fit the data.
absl::StatusOr<moco::ProbeMetrics> EvaluateLinear(const LinearOptions& options,
                                                  const data::Dataset& validation,
                                                  const FrozenBackbone& encoder,
                                                  const moco::Checkpoint& checkpoint,
                                                  moco::Communicator& communicator);

}  // namespace lincls

#endif  // LINCLS_LINEAR_VALIDATION_H_
