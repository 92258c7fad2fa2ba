// Learning rate schedules as plugins.
#ifndef MOCO_SCHEDULES_SCHEDULE_H_
#define MOCO_SCHEDULES_SCHEDULE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "registry/registry.h"

namespace moco {

class Schedule {
 public:
  virtual ~Schedule() = default;

  // Returns the factor of the base learning rate in `step` (0 to epochs x steps_per_epoch - 1). It
  // depends on nothing else, so that a resumed run gets the same factor.
  virtual double Factor(int64_t step) const = 0;
};

// The length of a run; both at least 1.
struct ScheduleContext {
  int64_t epochs, steps_per_epoch;
};

using ScheduleRegistry = registry::Registry<Schedule, const ScheduleContext&>;
ScheduleRegistry& Schedules();

// Returns InvalidArgument, naming the schedule, if a warm-up of `warmup` epochs leaves no epoch.
absl::Status CheckWarmUp(const std::string& schedule, int64_t warmup, const ScheduleContext& run);

}  // namespace moco

#endif  // MOCO_SCHEDULES_SCHEDULE_H_
