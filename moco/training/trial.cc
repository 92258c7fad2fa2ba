#include "moco/training/trial.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "base/progress.h"
#include "data/loader.h"
#include "moco/moco.h"
#include "moco/training/device_views.h"
#include "moco/training/images.h"

namespace moco {
namespace {

constexpr int64_t kPartOfBatch = 4;  // images that share batch statistics
constexpr int64_t kMostSteps = 20;   // timed

}  // namespace

absl::StatusOr<Trial> TrySteps(const TrainerOptions& options, const augment::Pipeline& views,
                               const data::Dataset& dataset, double seconds,
                               Communicator& communicator) {
  const int64_t splits = options.moco.encoder.bn_splits;
  const int64_t part = options.batch_size / options.moco.accumulate / splits;
  Trial trial;
  trial.images = splits * std::min(part, kPartOfBatch);

  auto loading = LoaderOf(views, 2, options.moco.device);
  if (!loading.ok()) return loading.status();
  loading->batch_size = trial.images;
  loading->seed = options.seed;
  loading->threads = options.loader_threads;
  loading->last_step = kMostSteps + 1;
  loading->max_bad_images = options.max_bad_images;
  auto loader = data::Loader::Create(dataset, *std::move(loading));
  if (!loader.ok()) return loader.status();
  MoCoOptions small = options.moco;
  small.accumulate = 1;
  auto moco = MoCo::Create(small, communicator);
  if (!moco.ok()) return moco.status();
  DeviceViews device_views(views, small.device, small.dtype);
  const auto step = [&](int64_t number) -> absl::Status {
    const auto batch = (*loader)->Next();
    if (!batch.ok()) return batch.status();
    const std::vector<at::Tensor> own = device_views(**batch);
    // Weights that do not change keep the loss finite, whatever --lr is.
    return (*moco)->Step(own[0], own[1], /*lr=*/0, number).status();
  };

  // Libraries allocate memory and choose algorithms in the first step.
  if (absl::Status s = step(0); !s.ok()) return s;
  const auto start = std::chrono::steady_clock::now();
  while (trial.steps < kMostSteps && (trial.steps == 0 || base::SecondsSince(start) < seconds)) {
    if (absl::Status s = step(++trial.steps); !s.ok()) return s;
  }
  trial.seconds_per_step =
      base::SecondsSince(start) / trial.steps * options.batch_size / trial.images;
  return trial;
}

}  // namespace moco
