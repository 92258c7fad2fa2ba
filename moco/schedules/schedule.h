// Schedules: the learning rate over the epochs, as plugins.
#ifndef MOCO_SCHEDULES_SCHEDULE_H_
#define MOCO_SCHEDULES_SCHEDULE_H_

#include <cstdint>

#include "registry/registry.h"

namespace moco {

class Schedule {
 public:
  virtual ~Schedule() = default;

  // What the base learning rate is multiplied by throughout `epoch` (0 to epochs - 1).
  virtual double Factor(int64_t epoch) const = 0;
};

// Made for the number of epochs.
using ScheduleRegistry = registry::Registry<Schedule, int64_t>;
ScheduleRegistry& Schedules();

}  // namespace moco

#endif  // MOCO_SCHEDULES_SCHEDULE_H_
