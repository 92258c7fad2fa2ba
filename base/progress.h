// Progress on the terminal: one line that is written over, or plain lines where there is no
// terminal.
#ifndef BASE_PROGRESS_H_
#define BASE_PROGRESS_H_

#include <chrono>
#include <string>

namespace base {

class Progress {
 public:
  // On a terminal each Update writes over the last; elsewhere a line is printed when
  // `seconds_between` have passed since the last one, so that a log does not drown.
  explicit Progress(double seconds_between = 10);
  ~Progress();

  void Update(const std::string& text);

  // A line that stays.
  void Print(const std::string& text);

 private:
  void Clear();

  const bool terminal_;
  const std::chrono::duration<double> between_;
  std::chrono::steady_clock::time_point last_{};
  bool open_ = false;  // an updated line stands on the terminal
};

// Wall-clock seconds that have passed since `start`.
double SecondsSince(std::chrono::steady_clock::time_point start);

// "1 h 05 min", "4 min 10 s", "12 s".
std::string FormatSeconds(double seconds);

// "1.5 GB", "820 MB", "12 kB".
std::string FormatBytes(double bytes);

// The most memory that the process has had so far, in bytes; files that it has mapped count as far
// as they were read.
double PeakBytes();

}  // namespace base

#endif  // BASE_PROGRESS_H_
