// Half a cosine, from 1 to almost 0.
#include <cmath>

#include "moco/schedules/schedule.h"

namespace moco {
namespace {

struct CosineOptions {
  template <class Visitor>
  void Visit(Visitor&) {}
};

class Cosine : public Schedule {
 public:
  explicit Cosine(int64_t epochs) : epochs_(epochs) {}
  double Factor(int64_t epoch) const override {
    return 0.5 * (1 + std::cos(M_PI * epoch / epochs_));
  }

 private:
  const int64_t epochs_;
};

absl::StatusOr<std::unique_ptr<Schedule>> MakeCosine(const CosineOptions&, int64_t epochs) {
  return std::make_unique<Cosine>(epochs);
}

REGISTER_PLUGIN(Schedules, "cosine", "half a cosine over all epochs", CosineOptions, MakeCosine);

}  // namespace
}  // namespace moco
