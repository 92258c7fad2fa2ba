// The linear protocol: a linear classifier trained on frozen features, validated after each epoch;
// and fine-tuning, which is the same with the backbone thawed.
#ifndef LINCLS_LINEAR_TRAINER_H_
#define LINCLS_LINEAR_TRAINER_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/run_folder.h"
#include "data/dataset.h"
#include "lincls/encoders/frozen_backbone.h"
#include "lincls/linear_validation.h"
#include "moco/communicators/communicator.h"

namespace lincls {

// Labelled, both with the same classes.
struct LinearData {
  const data::Dataset& train;
  const data::Dataset& validation;
};

class LinearTrainer {
 public:
  // Checks everything that can be checked before the first image is read, the checkpoint to resume
  // from included. The data sets, the encoder and the communicator must outlive the trainer. A
  // thawed encoder is trained too.
  static absl::StatusOr<std::unique_ptr<LinearTrainer>> Create(const LinearOptions& options,
                                                               const LinearData& data,
                                                               FrozenBackbone& encoder,
                                                               moco::Communicator& communicator);
  virtual ~LinearTrainer() = default;

  // Trains to the last epoch, see moco::TrainingRun::Run. Before each checkpoint, and thus also at
  // the end, a frozen encoder is compared with the pretrained one; Internal if any bit differs. If
  // the loss is not finite, returns Aborted and writes no checkpoint. Before the first step, a
  // signal (base/signals.h) ends the process at once.
  virtual absl::Status Run(base::RunFolder* folder) = 0;
};

}  // namespace lincls

#endif  // LINCLS_LINEAR_TRAINER_H_
