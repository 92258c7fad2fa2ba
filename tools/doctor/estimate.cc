#include "tools/doctor/estimate.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include "augment/augmentation.h"
#include "base/cores.h"
#include "base/progress.h"
#include "data/loader.h"
#include "moco/backbones/backbone.h"
#include "moco/communicators/communicator.h"
#include "moco/moco.h"
#include "moco/training/footprint.h"
#include "moco/training/images.h"

namespace doctor {
namespace {

constexpr int64_t kPartOfBatch = 4;  // images of a part of the batch in the trial
constexpr int64_t kMostSteps = 20;   // of the trial

moco::MoCoOptions OptionsOf(const RunPlan& plan) {
  moco::MoCoOptions options;
  options.encoder.backbone = plan.arch;
  options.encoder.head = "mlp:dim=128";
  options.encoder.bn_splits = plan.bn_splits;
  options.queue_size = plan.moco_k;
  options.momentum = plan.moco_m;
  options.accumulate = plan.accumulate;
  return options;
}

// Times a few steps of fewer images, and scales the time to the plan's batch.
absl::Status Try(const RunPlan& plan, const augment::Pipeline& views, const data::Dataset& dataset,
                 double seconds, Cost& cost) {
  moco::MoCoOptions options = OptionsOf(plan);
  options.accumulate = 1;
  const int64_t batch = std::min(plan.batch_size / plan.accumulate, kPartOfBatch * plan.bn_splits);
  auto communicator = moco::Communicators().Create("single");
  if (!communicator.ok()) return communicator.status();
  auto moco = moco::MoCo::Create(options, **communicator);
  if (!moco.ok()) return moco.status();
  auto loading = moco::LoaderOf(views, 2);
  if (!loading.ok()) return loading.status();
  loading->batch_size = batch;
  loading->threads = base::Cores();
  loading->last_step = kMostSteps + 1;
  loading->max_bad_images = dataset.size();  // they are counted elsewhere
  auto loader = data::Loader::Create(dataset, *loading);
  if (!loader.ok()) return loader.status();
  const auto step = [&](int64_t number) -> absl::Status {
    const auto images = (*loader)->Next();
    if (!images.ok()) return images.status();
    const auto view = [&](int v) { return moco::ViewTensor(**images, v, views.output()); };
    return (*moco)->Step(view(0), view(1), /*lr=*/0, number).status();
  };
  // The first step allocates memory.
  const auto begin = std::chrono::steady_clock::now();
  if (absl::Status s = step(0); !s.ok()) return s;
  const auto start = std::chrono::steady_clock::now();
  while (cost.tried_steps < kMostSteps) {
    if (absl::Status s = step(cost.tried_steps + 1); !s.ok()) return s;
    ++cost.tried_steps;
    if (base::SecondsSince(begin) > seconds) break;
  }
  cost.tried_images = batch;
  cost.seconds_per_step = base::SecondsSince(start) / cost.tried_steps * plan.batch_size / batch;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Cost> EstimateCost(const RunPlan& plan, const data::Dataset& dataset,
                                  double trial_seconds) {
  const auto channels = moco::ImageChannels(plan.arch);
  if (!channels.ok()) return channels.status();
  const auto views = augment::Pipeline::Create(plan.views, *channels);
  if (!views.ok()) return views.status();
  const auto footprint = moco::MeasureFootprint(OptionsOf(plan), views->output(),
                                                static_cast<double>(plan.batch_size));
  if (!footprint.ok()) return footprint.status();
  Cost cost;
  cost.memory = footprint->memory;
  cost.checkpoint = footprint->checkpoint;
  if (trial_seconds == 0) return cost;
  if (absl::Status s = Try(plan, *views, dataset, trial_seconds, cost); !s.ok()) return s;
  return cost;
}

}  // namespace doctor
