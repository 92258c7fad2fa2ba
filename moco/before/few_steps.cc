#include "moco/before/few_steps.h"

#include <ATen/Context.h>
#include <ATen/core/Tensor.h>

#include <memory>
#include <utility>
#include <vector>

#include "moco/training/images.h"
#include "moco/training/initial_weights.h"

namespace moco {

absl::StatusOr<FewSteps> FewSteps::Create(const TrainerOptions& options,
                                          const augment::Pipeline& views,
                                          const data::Dataset& dataset, int64_t most,
                                          Communicator& communicator) {
  auto loading = LoaderOf(views, 2, options.moco.device);
  if (!loading.ok()) return loading.status();
  loading->batch_size = options.batch_size;
  loading->seed = options.seed;
  loading->threads = options.loader_threads;
  loading->last_step = most;
  loading->max_bad_images = options.max_bad_images;
  FewSteps steps(options.seed);
  steps.views_ = std::make_unique<DeviceViews>(views, options.moco.device, options.moco.dtype);
  auto loader = data::Loader::Create(dataset, *std::move(loading));
  if (!loader.ok()) return loader.status();
  steps.loader_ = *std::move(loader);
  at::manual_seed(options.seed);  // initial values
  auto moco = MoCo::Create(options.moco, communicator);
  if (!moco.ok()) return moco.status();
  steps.moco_ = *std::move(moco);
  if (options.initial == nullptr) return steps;
  auto taken = Load(*options.initial, *steps.moco_);
  if (!taken.ok()) return taken.status();
  return steps;
}

absl::StatusOr<StepMetrics> FewSteps::Next(double lr) {
  const auto batch = loader_->Next();
  if (!batch.ok()) return batch.status();
  at::manual_seed(seed_ + step_ + 1);  // for random numbers that a plugin draws in a step
  const std::vector<at::Tensor> views = (*views_)(**batch);
  auto metrics = moco_->Step(views[0], views[1], lr, step_++);
  views_->Release();
  return metrics;
}

}  // namespace moco
