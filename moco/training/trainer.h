// The training loop: batches in, checkpoints and metrics out.
#ifndef MOCO_TRAINING_TRAINER_H_
#define MOCO_TRAINING_TRAINER_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/run_folder.h"
#include "data/dataset.h"
#include "moco/communicators/communicator.h"
#include "moco/training/footprint.h"
#include "moco/training/trainer_options.h"
#include "moco/training/trial.h"

namespace moco {

// The data sets of a run. All but the first are for its monitor (MonitorData), and may be null.
struct TrainerData {
  const data::Dataset* train = nullptr;
  const data::Dataset* bank = nullptr;
  const data::Dataset* queries = nullptr;
  const data::Dataset* held_out = nullptr;
};

// What a run takes, before it begins.
struct RunEstimate {
  Footprint footprint;
  int64_t checkpoints = 0;  // that it leaves
  int64_t steps = 0;
  Trial trial;  // without steps if the run would take most of the machine's memory
};

class Trainer {
 public:
  // Checks what Create() checks, except for the checkpoint to resume from, and tries a few steps.
  static absl::StatusOr<RunEstimate> Estimate(const TrainerOptions& options,
                                              const TrainerData& data, Communicator& communicator);

  // Checks everything that can be checked before the first batch, the checkpoint to resume from
  // included. The data sets and the communicator must outlive the trainer.
  static absl::StatusOr<std::unique_ptr<Trainer>> Create(const TrainerOptions& options,
                                                         const TrainerData& data,
                                                         Communicator& communicator);
  virtual ~Trainer() = default;

  // Trains to the last epoch, see TrainingRun::Run. If the loss is not finite, returns Aborted and
  // writes no checkpoint.
  virtual absl::Status Run(base::RunFolder* folder) = 0;
};

}  // namespace moco

#endif  // MOCO_TRAINING_TRAINER_H_
