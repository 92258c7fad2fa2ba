// The training loop: batches in, checkpoints and metrics out.
#ifndef MOCO_TRAINING_TRAINER_H_
#define MOCO_TRAINING_TRAINER_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/run_folder.h"
#include "data/dataset.h"
#include "moco/communicators/communicator.h"
#include "moco/training/trainer_options.h"

namespace moco {

// The data sets of a run. The two labelled ones are for the kNN monitor, and may be null.
struct TrainerData {
  const data::Dataset* train = nullptr;
  const data::Dataset* bank = nullptr;
  const data::Dataset* queries = nullptr;
};

class Trainer {
 public:
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
