#include "moco/resume.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace moco {

absl::Status CheckSettings(const Checkpoint& checkpoint, const Settings& settings) {
  for (const auto& [flag, value] : settings) {
    const auto saved = checkpoint.mocopp.find(flag);
    if (saved == checkpoint.mocopp.end() || saved->second == value) continue;
    if (flag == "program") {
      return absl::InvalidArgumentError(
          absl::StrCat("was written by ", saved->second, ", not by ", value,
                       "; give a checkpoint, or a run folder, of ", value));
    }
    return absl::InvalidArgumentError(absl::StrCat("was written with '", saved->second,
                                                   "', this run has '", value, "'; change --", flag,
                                                   " or start anew"));
  }
  return absl::OkStatus();
}

std::string DescribeDifferences(const Checkpoint& checkpoint, const Settings& settings) {
  std::string differences;
  for (const auto& [flag, value] : settings) {
    const auto saved = checkpoint.mocopp.find(flag);
    if (saved == checkpoint.mocopp.end() || saved->second == value) continue;
    absl::StrAppend(&differences, differences.empty() ? "" : "; ", flag, " was ", saved->second,
                    ", is ", value);
  }
  return differences;
}

absl::StatusOr<int64_t> NextStep(const Checkpoint& checkpoint, int64_t steps_per_epoch,
                                 int64_t last_step) {
  int64_t step = 0;
  const auto saved = checkpoint.mocopp.find("step");
  const bool read = saved != checkpoint.mocopp.end()
                        ? absl::SimpleAtoi(saved->second, &step)
                        : !__builtin_mul_overflow(checkpoint.epoch, steps_per_epoch, &step);
  if (!read || step < 0) return absl::DataLossError("has no readable step; use an earlier one");
  if (step >= last_step) {
    return absl::InvalidArgumentError(absl::StrCat(
        "has ", step, " of ", last_step, " steps done: nothing is left to do; raise --epochs"));
  }
  return step;
}

}  // namespace moco
