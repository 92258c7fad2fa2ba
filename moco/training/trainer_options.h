// The options of pretraining, and which of them identify a run.
#ifndef MOCO_TRAINING_TRAINER_OPTIONS_H_
#define MOCO_TRAINING_TRAINER_OPTIONS_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "data/dataset.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/checkpoints/resume.h"
#include "moco/moco.h"
#include "moco/training/training_run.h"

namespace moco {

struct InitialWeights;

struct TrainerOptions : RunOptions {
  MoCoOptions moco;
  std::shared_ptr<const InitialWeights>
      initial;  // null: drawn ones; else `init` says its fingerprint

  std::string views;       // pipeline of the query and of the key
  std::string eval_views;  // for kNN and, stored in the checkpoint, for the linear classifier

  std::string checkpoint_prefix = kCheckpoints;  // or kFlatCheckpoints
  int64_t checkpoint_every = 1;  // epochs; the first and last ones always have a checkpoint
  int64_t keep = 0;              // number of newest checkpoints to keep; 0: all

  // How keys are shuffled over ranks: with "exchange", images that change their rank are sent; with
  // "deal", each rank loads them, so that only keys are sent.
  std::string shuffle = "exchange";

  int64_t knn_every = 0;  // epochs between kNN evaluations; 0: none
  int64_t knn_k = 200;
  double knn_temperature = 0.1;
  bool probe = false;  // also evaluates a linear probe

  // The measures that need no labels: MonitorOptions::measures_every and images.
  int64_t monitor_every = 0;
  int64_t monitor_images = 512;
};

// Returns the options with every spec in canonical form, as checkpoints hold them. Errors are those
// of the specs.
absl::StatusOr<TrainerOptions> Canonical(TrainerOptions options);

// Returns the settings that the checkpoints of a run on `images` hold. `options` must be canonical.
RunSettings SettingsOf(const TrainerOptions& options, const data::Dataset& images, int64_t ranks);

// Returns further settings that must be the same on every rank.
Settings FurtherSettingsOf(const TrainerOptions& options);

}  // namespace moco

#endif  // MOCO_TRAINING_TRAINER_OPTIONS_H_
