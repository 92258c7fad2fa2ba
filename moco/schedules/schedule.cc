#include "moco/schedules/schedule.h"

#include "absl/strings/str_cat.h"

namespace moco {

ScheduleRegistry& Schedules() {
  static ScheduleRegistry& table = *new ScheduleRegistry("schedule");
  return table;
}

absl::Status CheckWarmUp(const std::string& schedule, int64_t warmup, const ScheduleContext& run) {
  if (warmup < run.epochs) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(schedule, ": option 'warmup' is ", warmup,
                                                 ", must be less than --epochs, ", run.epochs));
}

}  // namespace moco
