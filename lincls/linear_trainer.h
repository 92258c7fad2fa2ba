// The linear protocol: a linear classifier trained on frozen features, validated after each epoch;
// and fine-tuning, which is the same with the backbone thawed.
#ifndef LINCLS_LINEAR_TRAINER_H_
#define LINCLS_LINEAR_TRAINER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/run_folder.h"
#include "data/dataset.h"
#include "lincls/encoders/frozen_backbone.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/communicators/communicator.h"
#include "moco/measures/linear_probe.h"

namespace lincls {

struct LinearOptions {
  double lr = 30;
  std::string schedule = "step:at=60 80";
  int64_t epochs = 100;
  int64_t start_epoch = 0;   // where a run begins that is not resumed
  int64_t batch_size = 256;  // of all ranks together
  double momentum = 0.9;
  double weight_decay = 0;
  uint64_t seed = 0;

  std::string views;       // pipeline of training
  std::string eval_views;  // and of validation
  int loader_threads = 1;
  int64_t max_bad_images = 0;

  int64_t print_every = 10;  // steps between lines of metrics.jsonl

  std::string pretrained;            // the checkpoint that the encoder is from
  std::string resume;                // a checkpoint to go on from; empty: start
  std::vector<std::string> earlier;  // the run folder's, oldest first; see moco::FindResumePoint
  std::string force;                 // why the run may differ where only a reason allows it
};

// Labelled, both with the same classes.
struct LinearData {
  const data::Dataset& train;
  const data::Dataset& validation;
};

// Those that a run folder has, oldest first: the best one is of the last epoch or one before.
std::vector<std::string> ListCheckpoints(const std::string& run_folder);

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

  // Trains to the last epoch. Rank 0 writes to `folder`; the other ranks give null. Before each
  // checkpoint, and so at the end, the encoder is compared with the pretrained one; Internal when a
  // bit differs. From the first step on, a signal (base/signals.h) is answered by a checkpoint and
  // the signal's status; on a loss that is not finite returns Aborted and writes none. A checkpoint
  // that cannot be written is reported and the run goes on; only the last one's failure is
  // returned.
  virtual absl::Status Run(base::RunFolder* folder) = 0;
};

// Validates the classifier that `checkpoint` holds. InvalidArgument, to be read after the
// checkpoint's name, when it does not fit the data.
absl::StatusOr<moco::ProbeMetrics> EvaluateLinear(const LinearOptions& options,
                                                  const data::Dataset& validation,
                                                  const FrozenBackbone& encoder,
                                                  const moco::Checkpoint& checkpoint,
                                                  moco::Communicator& communicator);

}  // namespace lincls

#endif  // LINCLS_LINEAR_TRAINER_H_
