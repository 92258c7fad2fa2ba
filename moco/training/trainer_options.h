// The options of pretraining, and what of them belongs to a run's identity.
#ifndef MOCO_TRAINING_TRAINER_OPTIONS_H_
#define MOCO_TRAINING_TRAINER_OPTIONS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/checkpoints/resume.h"
#include "moco/moco.h"
#include "moco/training/training_run.h"

namespace moco {

struct TrainerOptions : RunOptions {
  MoCoOptions moco;

  std::string views;       // pipeline of the query and of the key
  std::string eval_views;  // for kNN and, through the checkpoint, for the linear classifier

  std::string checkpoint_prefix = kCheckpoints;  // or kFlatCheckpoints
  int64_t checkpoint_every = 1;                  // epochs, from the first on; the last one too
  int64_t keep = 0;                              // newest checkpoints that stay; 0: all

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

// What a checkpoint of the run holds of its settings. `options` are canonical.
RunSettings SettingsOf(const TrainerOptions& options, int64_t images, int64_t ranks);

// What must be the same on every rank, too.
Settings FurtherSettingsOf(const TrainerOptions& options);

}  // namespace moco

#endif  // MOCO_TRAINING_TRAINER_OPTIONS_H_
