#include "moco/before/trial.h"

#include <algorithm>
#include <chrono>

#include "base/progress.h"
#include "moco/before/few_steps.h"

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
  TrainerOptions small = options;
  small.batch_size = trial.images;
  small.moco.accumulate = 1;
  auto steps = FewSteps::Create(small, views, dataset, kMostSteps + 1, communicator);
  if (!steps.ok()) return steps.status();
  // Weights that do not change keep the loss finite, whatever --lr is.
  const auto step = [&] { return steps->Next(/*lr=*/0).status(); };

  // Libraries allocate memory and choose algorithms in the first step.
  if (absl::Status s = step(); !s.ok()) return s;
  const auto start = std::chrono::steady_clock::now();
  while (trial.steps < kMostSteps && (trial.steps == 0 || base::SecondsSince(start) < seconds)) {
    ++trial.steps;
    if (absl::Status s = step(); !s.ok()) return s;
  }
  trial.seconds_per_step =
      base::SecondsSince(start) / trial.steps * options.batch_size / trial.images;
  return trial;
}

}  // namespace moco
