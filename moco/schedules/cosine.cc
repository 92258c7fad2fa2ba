// Half a cosine, from 1 to almost 0: by default that of MoCo v2, which changes per epoch, and with
// `warmup` and `per_step` that of MoCo v3 (Chen et al., "An empirical study of training
// self-supervised vision transformers", ICCV 2021; facebookresearch/moco-v3, adjust_learning_rate).
#include <cmath>

#include "moco/schedules/schedule.h"

namespace moco {
namespace {

struct CosineOptions {
  int64_t warmup = 0;
  bool per_step = false;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("warmup", warmup, "epochs at the start in which the rate rises linearly from 0, step by step",
      registry::AtLeast(0));
    v("per_step", per_step, "update the cosine in every step instead of every epoch");
  }
};

class Cosine : public Schedule {
 public:
  Cosine(const CosineOptions& options, const ScheduleContext& run) : options_(options), run_(run) {}

  double Factor(int64_t step) const override {
    const int64_t warm = options_.warmup * run_.steps_per_epoch;
    if (step < warm) return static_cast<double>(step) / warm;
    const double epoch = options_.per_step ? static_cast<double>(step) / run_.steps_per_epoch
                                           : step / run_.steps_per_epoch;
    return 0.5 * (1 + std::cos(M_PI * (epoch - options_.warmup) / (run_.epochs - options_.warmup)));
  }

 private:
  const CosineOptions options_;
  const ScheduleContext run_;
};

absl::StatusOr<std::unique_ptr<Schedule>> MakeCosine(const CosineOptions& options,
                                                     const ScheduleContext& run) {
  if (absl::Status s = CheckWarmUp("cosine", options.warmup, run); !s.ok()) return s;
  return std::make_unique<Cosine>(options, run);
}

REGISTER_PLUGIN(Schedules, "cosine", "falls along half a cosine over all epochs", CosineOptions,
                MakeCosine);

}  // namespace
}  // namespace moco
