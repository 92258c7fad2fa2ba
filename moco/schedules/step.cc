// A constant factor at each of a list of epochs.
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
  template <class Visitor>
  void Visit(Visitor& v) {
    v("at", at, "epochs from which the rate is multiplied once more, separated by spaces");
    v("factor", factor, "what it is multiplied by", registry::Between(0, 1));
  }
};

class Step : public Schedule {
 public:
  Step(std::vector<int64_t> at, double factor) : at_(std::move(at)), factor_(factor) {}
  double Factor(int64_t epoch) const override {
    double product = 1;
    for (int64_t start : at_) product *= epoch >= start ? factor_ : 1;
    return product;
  }

 private:
  const std::vector<int64_t> at_;
  const double factor_;
};

absl::StatusOr<std::unique_ptr<Schedule>> MakeStep(const StepOptions& options, int64_t) {
  std::vector<int64_t> at;
  for (absl::string_view text : absl::StrSplit(options.at, ' ', absl::SkipEmpty())) {
    if (!absl::SimpleAtoi(text, &at.emplace_back()) || at.back() < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("step: option 'at' is '", options.at, "', must be epochs like '120 160'"));
    }
  }
  return std::make_unique<Step>(std::move(at), options.factor);
}

REGISTER_PLUGIN(Schedules, "step", "drops at given epochs", StepOptions, MakeStep);

}  // namespace
}  // namespace moco
