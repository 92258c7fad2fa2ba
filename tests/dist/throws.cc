// A schedule that fails on the process with THROWS=WHAT:STEP in its environment: by an exception
// (bad_alloc, cuda, shapes) or a signal (KILL, STOP, TERM), in that step, from 0.
#include <c10/util/Exception.h>
#include <signal.h>

#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <new>
#include <string>

#include "moco/schedules/schedule.h"

namespace moco {
namespace {

struct ThrowsOptions {
  template <class Visitor>
  void Visit(Visitor&) {}
};

class Throws : public Schedule {
 public:
  Throws() {
    const char* text = std::getenv("THROWS");
    if (text == nullptr) return;
    what_ = text;
    step_ = std::atoi(what_.substr(what_.find(':') + 1).c_str());
    what_.resize(what_.find(':'));
  }
  double Factor(int64_t step) const override {
    if (step != step_) return 1;
    const std::map<std::string, int> signals = {
        {"KILL", SIGKILL}, {"STOP", SIGSTOP}, {"TERM", SIGTERM}};
    if (signals.count(what_) > 0) {
      raise(signals.at(what_));
      return 1;
    }
    if (what_ == "bad_alloc") throw std::bad_alloc();
    TORCH_CHECK_WITH(OutOfMemoryError, what_ != "cuda",
                     "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity "
                     "of 79.10 GiB of which 1.00 GiB is free.");
    TORCH_CHECK(false, "the shapes differ");
  }

 private:
  std::string what_;
  int64_t step_ = -1;
};

absl::StatusOr<std::unique_ptr<Schedule>> MakeThrows(const ThrowsOptions&, const ScheduleContext&) {
  return std::make_unique<Throws>();
}

REGISTER_PLUGIN(Schedules, "throws", "fails when told to", ThrowsOptions, MakeThrows);

}  // namespace
}  // namespace moco
