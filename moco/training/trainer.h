// The training loop: batches in, checkpoints and metrics out.
#ifndef MOCO_TRAINING_TRAINER_H_
#define MOCO_TRAINING_TRAINER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/run_folder.h"
#include "data/dataset.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/moco.h"

namespace moco {

struct TrainerOptions {
  MoCoOptions moco;
  double lr = 0.03;
  std::string schedule = "step";
  int64_t epochs = 200;
  int64_t start_epoch = 0;   // where a run begins that is not resumed
  int64_t batch_size = 256;  // of all ranks together
  uint64_t seed = 0;

  std::string views;  // pipeline of the query and of the key
  std::string
      eval_views;  // pipeline for kNN and, through the checkpoint, for the linear classifier
  int loader_threads = 1;
  int64_t max_bad_images = 0;

  int64_t print_every = 10;  // steps between lines of metrics.jsonl

  std::string checkpoint_prefix = kCheckpoints;  // or kFlatCheckpoints
  int64_t checkpoint_every = 1;                  // epochs, from the first on; the last one too
  double checkpoint_minutes = 0;  // since the last one, at the end of a step; 0: by epochs alone
  int64_t keep = 0;               // newest checkpoints that stay; 0: all

  std::string resume;                // a checkpoint to go on from
  std::vector<std::string> earlier;  // the run folder's, oldest first; see FindResumePoint
  std::string force;                 // why the run may differ where only a reason allows it

  // How keys are shuffled over ranks: "exchange" moves the images that change their rank, "deal"
  // has each rank load them, so that only keys travel.
  std::string shuffle = "exchange";

  int64_t knn_every = 0;  // epochs between kNN evaluations; 0: none
  int64_t knn_k = 200;
  double knn_temperature = 0.1;
  bool probe = false;  // a linear probe beside it
};

// The same with every spec in full, as a checkpoint holds it. Errors: those of the specs.
absl::StatusOr<TrainerOptions> Canonical(TrainerOptions options);

// Where the images come from. The two labelled sets are of the kNN monitor, and may be null.
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

  // Trains to the last epoch. Rank 0 writes to `folder`; the other ranks give null. On a signal
  // (base/signals.h) to any rank writes a checkpoint and returns the
  // signal's status; on a loss that is not finite returns Aborted and writes none. A checkpoint
  // that cannot be written is reported and the run goes on; only the last one's failure is
  // returned. Unavailable when another rank is lost, naming it and the step.
  virtual absl::Status Run(base::RunFolder* folder) = 0;
};

}  // namespace moco

#endif  // MOCO_TRAINING_TRAINER_H_
