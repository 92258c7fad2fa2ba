#include "moco/schedules/schedule.h"

namespace moco {

ScheduleRegistry& Schedules() {
  static ScheduleRegistry& table = *new ScheduleRegistry("schedule");
  return table;
}

}  // namespace moco
