#include "moco/before/trial.h"

#include <algorithm>
#include <chrono>

#include "base/progress.h"
#include "moco/before/few_steps.h"

namespace moco {
namespace {

constexpr int64_t kFewImages = 4;   // that share batch statistics, in the first trial
constexpr int64_t kMostSteps = 20;  // timed

// Times steps of `images` images, after one that is not counted, because libraries allocate memory
// and choose algorithms in it: one or more, for about `seconds`.
absl::StatusOr<Trial> TimeSteps(const TrainerOptions& options, int64_t images,
                                const augment::Pipeline& views, const data::Dataset& dataset,
                                double seconds, Communicator& communicator) {
  TrainerOptions small = options;
  small.batch_size = images;
  small.moco.accumulate = 1;
  auto steps = FewSteps::Create(small, views, dataset, kMostSteps + 1, communicator);
  if (!steps.ok()) return steps.status();
  // Weights that do not change keep the loss finite, whatever --lr is.
  const auto step = [&] { return steps->Next(/*lr=*/0).status(); };

  if (absl::Status s = step(); !s.ok()) return s;
  Trial trial;
  trial.images = images;
  const auto start = std::chrono::steady_clock::now();
  while (trial.steps < kMostSteps && (trial.steps == 0 || base::SecondsSince(start) < seconds)) {
    ++trial.steps;
    if (absl::Status s = step(); !s.ok()) return s;
  }
  trial.seconds_per_step = base::SecondsSince(start) / trial.steps * options.batch_size / images;
  return trial;
}

}  // namespace

absl::StatusOr<Trial> TrySteps(const TrainerOptions& options, const augment::Pipeline& views,
                               const data::Dataset& dataset, double seconds,
                               Communicator& communicator) {
  const int64_t splits = options.moco.encoder.bn_splits;
  const int64_t part = options.batch_size / options.moco.accumulate / splits;
  // An image of a small batch takes longer than one of a large batch, which shares the update of
  // the weights with more images. So the steps grow until they are the run's, or as large as the
  // time permits: for the step that is not counted, and one or more.
  for (int64_t images = std::min(part, kFewImages);;) {
    auto trial = TimeSteps(options, splits * images, views, dataset, /*seconds=*/0, communicator);
    if (!trial.ok()) return trial;
    const double step = trial->seconds_per_step * trial->images / options.batch_size;
    const int64_t more = std::min<int64_t>(part, images * (seconds / 2 / step));
    if (images < part && more >= std::min(part, 2 * images)) {
      images = more;
      continue;
    }
    if (step > seconds / 2) return trial;
    return TimeSteps(options, splits * images, views, dataset, seconds, communicator);
  }
}

}  // namespace moco
