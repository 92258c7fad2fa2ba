// Multiplies the rate by a constant factor at each of a list of epochs.
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "moco/schedules/schedule.h"

namespace moco {
namespace {

struct StepOptions {
  std::string at = "120 160";
  double factor = 0.1;
  int64_t warmup = 0;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("at", at, "epochs, separated by spaces, at which the rate is multiplied by the factor");
    v("factor", factor, "factor at each of these epochs", registry::Between(0, 1));
    v("warmup", warmup, "epochs at the start in which the rate rises linearly from 0, step by step",
      registry::AtLeast(0));
  }
};

class Step : public Schedule {
 public:
  Step(std::vector<int64_t> at, const StepOptions& options, const ScheduleContext& run)
      : at_(std::move(at)),
        factor_(options.factor),
        warm_(options.warmup * run.steps_per_epoch),
        steps_per_epoch_(run.steps_per_epoch) {}

  double Factor(int64_t step) const override {
    if (step < warm_) return static_cast<double>(step) / warm_;
    double product = 1;
    for (int64_t start : at_) product *= step / steps_per_epoch_ >= start ? factor_ : 1;
    return product;
  }

 private:
  const std::vector<int64_t> at_;
  const double factor_;
  const int64_t warm_, steps_per_epoch_;
};

absl::StatusOr<std::unique_ptr<Schedule>> MakeStep(const StepOptions& options,
                                                   const ScheduleContext& run) {
  std::vector<int64_t> at;
  for (absl::string_view text : absl::StrSplit(options.at, ' ', absl::SkipEmpty())) {
    if (!absl::SimpleAtoi(text, &at.emplace_back()) || at.back() < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("step: option 'at' is '", options.at, "', must be epochs like '120 160'"));
    }
  }
  if (absl::Status s = CheckWarmUp("step", options.warmup, run); !s.ok()) return s;
  return std::make_unique<Step>(std::move(at), options, run);
}

REGISTER_PLUGIN(Schedules, "step", "drops by a factor at given epochs", StepOptions, MakeStep);

}  // namespace
}  // namespace moco
