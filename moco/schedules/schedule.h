// Schedules: the learning rate over the steps, as plugins.
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

  // What the base learning rate is multiplied by in `step` (0 to epochs x steps_per_epoch - 1).
  // Nothing else decides it, so that a resumed run has the same.
  virtual double Factor(int64_t step) const = 0;
};

// The length of a run; both at least 1.
struct ScheduleContext {
  int64_t epochs, steps_per_epoch;
};

using ScheduleRegistry = registry::Registry<Schedule, const ScheduleContext&>;
ScheduleRegistry& Schedules();

// InvalidArgument, naming the schedule, when a warm-up of so many epochs leaves none for it.
absl::Status CheckWarmUp(const std::string& schedule, int64_t warmup, const ScheduleContext& run);

}  // namespace moco

#endif  // MOCO_SCHEDULES_SCHEDULE_H_
