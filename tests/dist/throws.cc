// For throws_test: a schedule that throws on the process with POISONED in its environment.
#include <c10/util/Exception.h>

#include <cstdlib>
#include <memory>
#include <new>
#include <string>

#include "moco/schedules/schedule.h"

namespace moco {
namespace {

struct ThrowsOptions {
  int64_t step = 0;
  std::string what = "bad_alloc";
  template <class Visitor>
  void Visit(Visitor& v) {
    v("step", step, "the step that throws, from 0", registry::AtLeast(0));
    v("what", what, "bad_alloc, cuda or shapes");
  }
};

class Throws : public Schedule {
 public:
  explicit Throws(const ThrowsOptions& options) : options_(options) {}
  double Factor(int64_t step) const override {
    if (std::getenv("POISONED") == nullptr || step != options_.step) return 1;
    if (options_.what == "bad_alloc") throw std::bad_alloc();
    TORCH_CHECK_WITH(OutOfMemoryError, options_.what != "cuda",
                     "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity "
                     "of 79.10 GiB of which 1.00 GiB is free.");
    TORCH_CHECK(false, "the shapes differ");
  }

 private:
  const ThrowsOptions options_;
};

absl::StatusOr<std::unique_ptr<Schedule>> MakeThrows(const ThrowsOptions& options,
                                                     const ScheduleContext&) {
  return std::make_unique<Throws>(options);
}

REGISTER_PLUGIN(Schedules, "throws", "an exception at a step", ThrowsOptions, MakeThrows);

}  // namespace
}  // namespace moco
