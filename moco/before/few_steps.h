// Steps of a run that leave nothing behind: no folder, no checkpoint.
#ifndef MOCO_BEFORE_FEW_STEPS_H_
#define MOCO_BEFORE_FEW_STEPS_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "augment/augmentation.h"
#include "data/dataset.h"
#include "data/loader.h"
#include "moco/communicators/communicator.h"
#include "moco/moco.h"
#include "moco/training/device_views.h"
#include "moco/training/trainer_options.h"

namespace moco {

class FewSteps {
 public:
  // Makes the encoders, with the weights from which the run starts, and a loader for at most `most`
  // steps. `views` are those of `options`, whose batch size must be divisible by accumulate x
  // bn_splits, and at most the number of images. `views`, the data set and the communicator must
  // outlive the object. Errors are those of MoCo, the initial weights and the loader.
  static absl::StatusOr<FewSteps> Create(const TrainerOptions& options,
                                         const augment::Pipeline& views,
                                         const data::Dataset& dataset, int64_t most,
                                         Communicator& communicator);

  // The next step of the run, with this learning rate. Errors are those of the loader and of
  // MoCo::Step.
  absl::StatusOr<StepMetrics> Next(double lr);

  const MoCo& moco() const { return *moco_; }

 private:
  explicit FewSteps(uint64_t seed) : seed_(seed) {}

  uint64_t seed_;
  std::unique_ptr<DeviceViews> views_;
  std::unique_ptr<data::Loader> loader_;
  std::unique_ptr<MoCo> moco_;
  int64_t step_ = 0;
};

}  // namespace moco

#endif  // MOCO_BEFORE_FEW_STEPS_H_
