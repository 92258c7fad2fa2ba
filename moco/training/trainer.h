// The training loop: batches in, checkpoints and metrics out.
#ifndef MOCO_TRAINING_TRAINER_H_
#define MOCO_TRAINING_TRAINER_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "augment/augmentation.h"
#include "base/run_folder.h"
#include "data/dataset.h"
#include "moco/communicators/communicator.h"
#include "moco/training/footprint.h"
#include "moco/training/trainer_options.h"

namespace moco {

// The data sets of a run. All but the first are for its monitor (MonitorData), and may be null.
struct TrainerData {
  const data::Dataset* train = nullptr;
  const data::Dataset* bank = nullptr;
  const data::Dataset* queries = nullptr;
  const data::Dataset* held_out = nullptr;
};

// A run before it begins.
struct RunPlan {
  TrainerOptions options;  // canonical
  augment::Pipeline views;
  Footprint footprint;
  int64_t checkpoints = 0;  // that it leaves
  int64_t steps_per_epoch = 0;
  int64_t first_step = 0;  // more than 0 if the run resumes
  int64_t last_step = 0;   // one past the last
};

class Trainer {
 public:
  // Checks what Create() checks, except for the weights to start from.
  static absl::StatusOr<RunPlan> Plan(const TrainerOptions& options, const TrainerData& data,
                                      Communicator& communicator);

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
