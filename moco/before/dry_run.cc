#include "moco/before/dry_run.h"

#include "base/disk.h"
#include "base/progress.h"
#include "moco/before/cost.h"
#include "moco/before/trial.h"

namespace moco {

absl::Status DryRun(const RunPlan& plan, const data::Dataset& dataset, const std::string& folder,
                    Communicator& communicator) {
  constexpr double kShareOfMemory = 0.8;  // more of it, and the trial might not end
  constexpr double kSeconds = 5;
  Cost cost;
  cost.memory = plan.footprint.memory;
  cost.machine_memory = PhysicalMemory();
  cost.checkpoint = plan.footprint.checkpoint;
  cost.checkpoints = plan.checkpoints;
  cost.steps = plan.last_step - plan.first_step;
  cost.steps_per_epoch = plan.steps_per_epoch;
  base::Progress progress;
  // First, because the steps may show that the memory does not suffice.
  const double disk = base::FreeBytes(folder).value_or(0);
  for (const std::string& line : DescribeCost(cost, disk)) progress.Print(line);
  if (!plan.options.moco.device.is_cpu() || cost.memory <= kShareOfMemory * cost.machine_memory) {
    progress.Update("trying a few steps of the run");
    const auto trial = TrySteps(plan.options, plan.views, dataset, kSeconds, communicator);
    if (!trial.ok()) return trial.status();
    cost.seconds = trial->seconds_per_step * cost.steps;
    cost.tried_steps = trial->steps;
    cost.tried_images = trial->images;
    progress.Print(DescribeCost(cost, disk).back());
  }
  for (const std::string& warning :
       {plan.options.moco.device.is_cpu() ? MemoryWarning(plan.footprint) : "",
        DiskWarning(plan.footprint, plan.checkpoints, folder)}) {
    if (!warning.empty()) progress.Print(warning);
  }
  progress.Print(CostJson(cost));
  return absl::OkStatus();
}

}  // namespace moco
