// The progress of long work on many items, as all programs print it.
#ifndef BASE_WORK_H_
#define BASE_WORK_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "base/progress.h"

namespace base {

//   base::Progress progress;
//   base::Work work(progress, "packing", dataset.size(), "images");
//   for (int64_t i = 0; i < dataset.size(); ++i) {
//     ...
//     work.Done(i + 1);
//   }
//
// prints "packing: 1,200 of 5,000 images, 400 per second, 10 s left". Short work prints nothing.
class Work {
 public:
  // `progress` must outlive the work. `all`: 0 if it is not known. `done`: items that were done at
  // an earlier time, such as those of a program that continues. `seconds_before`: before the first
  // line.
  Work(Progress& progress, std::string what, int64_t all, std::string items, int64_t done = 0,
       double seconds_before = 2);

  // `done` of all items are done. Cheap enough to be called for each.
  void Done(int64_t done);

  // The line after `seconds` of work.
  std::string Line(int64_t done, double seconds) const;

 private:
  using Clock = std::chrono::steady_clock;

  Progress& progress_;
  const std::string what_, items_;
  const int64_t all_, done_before_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point next_;  // no line before
};

}  // namespace base

#endif  // BASE_WORK_H_
