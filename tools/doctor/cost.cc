#include "tools/doctor/cost.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/format_count.h"
#include "base/progress.h"

namespace doctor {
namespace {

constexpr double kShareOfMemory = 0.8;  // the rest is the system's and other programs'
constexpr double kShareOfDisk = 0.5;
constexpr int64_t kKept = 3;  // checkpoints where the disk has no room for all

}  // namespace

Machine ThisMachine(const std::string& folder) {
  std::error_code error;
  const auto space = std::filesystem::space(folder, error);
  return {static_cast<double>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGE_SIZE),
          error ? 0.0 : static_cast<double>(space.available)};
}

int64_t Checkpoints(const RunPlan& plan) {
  return plan.keep > 0 ? std::min(plan.keep, plan.epochs) : plan.epochs;
}

absl::StatusOr<Cost> FitMachine(const CostOf& cost_of, const data::Dataset& dataset,
                                const Machine& machine, double trial_seconds, Advice& advice) {
  auto cost = cost_of(advice.plan, dataset, /*trial_seconds=*/0);
  while (cost.ok() && cost->memory > kShareOfMemory * machine.memory && NeedLessMemory(advice)) {
    cost = cost_of(advice.plan, dataset, /*trial_seconds=*/0);
  }
  if (!cost.ok()) return cost;
  if (cost->checkpoint * Checkpoints(advice.plan) > kShareOfDisk * machine.disk) {
    KeepCheckpoints(kKept, advice);
  }
  // A trial of a run that does not fit would end this program.
  if (trial_seconds == 0 || cost->memory > machine.memory) return cost;
  return cost_of(advice.plan, dataset, trial_seconds);
}

std::vector<std::string> DescribeCost(const Cost& cost, const RunPlan& plan,
                                      const Machine& machine) {
  const int64_t checkpoints = Checkpoints(plan);
  std::vector<std::string> lines = {
      absl::StrCat("memory   about ", base::FormatBytes(cost.memory), " of the machine's ",
                   base::FormatBytes(machine.memory)),
      absl::StrFormat("disk     %d checkpoints of %s: %s of the %s that are free", checkpoints,
                      base::FormatBytes(cost.checkpoint),
                      base::FormatBytes(checkpoints * cost.checkpoint),
                      base::FormatBytes(machine.disk))};
  if (cost.tried_steps == 0) return lines;
  const int64_t steps = plan.images / plan.batch_size;
  const double epoch = steps * cost.seconds_per_step;
  lines.push_back(absl::StrFormat(
      "time     about %s for %d epochs of %s steps, %s each, on this CPU (%d steps of %d images "
      "were tried)",
      base::FormatSeconds(plan.epochs * epoch), plan.epochs, base::FormatCount(steps),
      base::FormatSeconds(epoch), cost.tried_steps, cost.tried_images));
  return lines;
}

}  // namespace doctor
