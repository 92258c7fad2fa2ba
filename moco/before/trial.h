// A few steps of a run, to know how long the run will take.
#ifndef MOCO_BEFORE_TRIAL_H_
#define MOCO_BEFORE_TRIAL_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "augment/augmentation.h"
#include "data/dataset.h"
#include "moco/communicators/communicator.h"
#include "moco/training/trainer_options.h"

namespace moco {

struct Trial {
  int64_t steps = 0, images = 0;  // how many steps were timed, of how many images
  double seconds_per_step = 0;    // of the run: scaled to its batch
};

// Times steps of the run's images, views, encoders, queue and threads: first of a few images (4 for
// each part of batch normalisation), then of more, up to as many as the run's if two such steps
// take at most about `seconds`. Takes at most about four times as long in all, or two steps of a
// few images. Errors are those of FewSteps.
absl::StatusOr<Trial> TrySteps(const TrainerOptions& options, const augment::Pipeline& views,
                               const data::Dataset& dataset, double seconds,
                               Communicator& communicator);

}  // namespace moco

#endif  // MOCO_BEFORE_TRIAL_H_
