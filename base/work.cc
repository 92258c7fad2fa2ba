#include "base/work.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/format_count.h"

namespace base {
namespace {

std::chrono::steady_clock::duration Seconds(double seconds) {
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(
      std::chrono::duration<double>(seconds));
}

}  // namespace

Work::Work(Progress& progress, std::string what, int64_t all, std::string items, int64_t done,
           double seconds_before)
    : progress_(progress),
      what_(std::move(what)),
      items_(std::move(items)),
      all_(all),
      done_before_(done),
      next_(start_ + Seconds(seconds_before)) {}

void Work::Done(int64_t done) {
  const auto now = Clock::now();
  if (now < next_ || (all_ > 0 && done >= all_)) return;
  next_ = now + Seconds(0.2);  // more often would only cost time
  progress_.Update(Line(done, SecondsSince(start_)));
}

std::string Work::Line(int64_t done, double seconds) const {
  const std::string line =
      absl::StrCat(what_, ": ", FormatCount(done),
                   all_ > 0 ? absl::StrCat(" of ", FormatCount(all_)) : "", " ", items_);
  if (done <= done_before_ || seconds <= 0) return line;
  const double rate = static_cast<double>(done - done_before_) / seconds;
  return absl::StrCat(
      line, ", ",
      rate >= 10 ? FormatCount(std::llround(rate)) : absl::StrCat(std::round(10 * rate) / 10),
      " per second",
      all_ > 0 ? absl::StrCat(", ", FormatSeconds((all_ - done) / rate), " left") : "");
}

}  // namespace base
