// Progress messages: one line that is overwritten on a terminal, or plain lines if the output is
// not a terminal.
#ifndef BASE_PROGRESS_H_
#define BASE_PROGRESS_H_

#include <chrono>
#include <cstdio>
#include <string>

namespace base {

class Progress {
 public:
  // `out`: stdout, or stderr in libraries, whose callers may print something for other programs.
  // On a terminal each Update overwrites the last one. Elsewhere a line is printed only if
  // `seconds_between` have passed since the last one, so that logs stay short.
  explicit Progress(double seconds_between = 10, std::FILE* out = stdout);
  ~Progress();

  void Update(const std::string& text);

  // Prints a line that stays.
  void Print(const std::string& text);

 private:
  void Clear();

  std::FILE* const out_;
  const bool terminal_;
  const std::chrono::duration<double> between_;
  std::chrono::steady_clock::time_point last_{};
  bool open_ = false;  // an updated line is on the terminal
};

// Wall-clock seconds that have passed since `start`.
double SecondsSince(std::chrono::steady_clock::time_point start);

// "1 h 05 min", "4 min 10 s", "12 s".
std::string FormatSeconds(double seconds);

// "1.5 GB", "820 MB", "12 kB".
std::string FormatBytes(double bytes);

// Returns the peak memory of the process so far, in bytes. Mapped files count as far as they were
// read.
double PeakBytes();

}  // namespace base

#endif  // BASE_PROGRESS_H_
