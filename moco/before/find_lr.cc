#include "moco/before/find_lr.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/files.h"
#include "base/format_count.h"
#include "base/progress.h"
#include "moco/before/few_steps.h"
#include "moco/before/lr_page.h"
#include "moco/before/lr_search.h"

namespace moco {
namespace {

constexpr int64_t kMostFilling = 64;  // steps that fill the queue

// "find-lr  step 12/204  lr 1.2e-05  loss 5.1  1 min left".
std::string Line(int64_t done, int64_t all, double lr, double loss, double seconds) {
  return absl::StrFormat("find-lr  step %d/%d  lr %.2g  loss %.4f  %s left", done, all, lr, loss,
                         base::FormatSeconds(seconds / done * (all - done)));
}

}  // namespace

absl::Status FindLr(const RunPlan& plan, const data::Dataset& dataset, const std::string& path,
                    const std::string& place, Communicator& communicator) {
  TrainerOptions options = plan.options;
  if (!options.resume.empty() || !options.earlier.empty()) {
    return absl::InvalidArgumentError(
        "--find-lr is for the start of a run; leave out --resume, or name a new --run-dir");
  }
  const int64_t keys = (options.moco.symmetric ? 2 : 1) * options.batch_size;  // of a step
  options.moco.queue_size = std::min(options.moco.queue_size, kMostFilling * keys);
  const int64_t filling = (options.moco.queue_size + keys - 1) / keys;
  const LrRange range;
  const int64_t most = filling + range.steps;

  base::Progress progress;
  if (options.moco.device.is_cpu()) {
    const std::string warning = MemoryWarning(plan.footprint);
    if (!warning.empty()) progress.Print(warning);
  }
  progress.Print(absl::StrFormat(
      "find-lr  at most %d steps, which cost as much as %.2g epochs: %d that fill the queue of %s "
      "keys, then up to %d with rates from %g to %g",
      most, static_cast<double>(most) / plan.steps_per_epoch, filling,
      base::FormatCount(options.moco.queue_size), range.steps, range.low, range.high));
  auto steps = FewSteps::Create(options, plan.views, dataset, most, communicator);
  if (!steps.ok()) return steps.status();
  const auto start = std::chrono::steady_clock::now();
  int64_t done = 0;
  const auto step = [&](double lr) -> absl::StatusOr<double> {
    const auto metrics = steps->Next(lr);
    if (!metrics.ok()) return metrics.status();
    progress.Update(Line(++done, most, lr, metrics->loss, base::SecondsSince(start)));
    return metrics->loss;
  };
  for (int64_t i = 0; i < filling; ++i) {
    if (auto loss = step(/*lr=*/0); !loss.ok()) return loss.status();
  }
  auto curve = RaiseLr(range, step);
  if (!curve.ok()) return curve.status();

  LrTest test;
  test.curve = *std::move(curve);
  test.suggestion = SuggestLr(test.curve.points);
  const auto chance = steps->moco().loss().Chance(options.moco.queue_size);
  test.chance = (options.moco.symmetric ? 2 : 1) * chance.value_or(0);
  test.place = place;
  test.images = dataset.size();
  test.batch = options.batch_size;
  test.encoder = options.moco.encoder.backbone;
  test.optimizer = options.moco.optimizer;
  test.queue = options.moco.queue_size;
  test.queue_of_run = plan.options.moco.queue_size;
  test.filling = filling;
  test.seconds = base::SecondsSince(start);
  test.lr = options.lr;
  if (absl::Status s = base::WriteNewFile(path, LrPage(test)); !s.ok()) return s;
  progress.Print(absl::StrFormat("cost     %d steps, %s images in two views, %s", done,
                                 base::FormatCount(done * options.batch_size),
                                 base::FormatSeconds(test.seconds)));
  progress.Print(absl::StrCat("page     ", path));
  if (!test.suggestion) {
    return absl::AbortedError(absl::StrCat(
        "the loss falls at no learning rate from ", range.low, " to ", test.curve.points.back().lr,
        ", as '", path, "' shows; look at the views with --preview, and try another --moco-t"));
  }
  progress.Print(absl::StrCat("suggest  --lr=", test.suggestion->lr, " (", Summary(test), ")"));
  return absl::OkStatus();
}

}  // namespace moco
