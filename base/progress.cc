#include "base/progress.h"

#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

#include "absl/strings/str_format.h"

namespace base {
namespace {

// fileno() does not know the streams by which a launcher's program replaces these two (started.cc).
int Descriptor(std::FILE* out) {
  return out == stdout ? STDOUT_FILENO : out == stderr ? STDERR_FILENO : fileno(out);
}

}  // namespace

Progress::Progress(double seconds_between, std::FILE* out)
    : out_(out), terminal_(isatty(Descriptor(out))), between_(seconds_between) {}

Progress::~Progress() { Clear(); }

void Progress::Update(const std::string& text) {
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_) {
    if (last_ == std::chrono::steady_clock::time_point{} || now - last_ >= between_) {
      last_ = now;
      std::fprintf(out_, "%s\n", text.c_str());
      std::fflush(out_);
    }
    return;
  }
  winsize window;
  const size_t columns = ioctl(Descriptor(out_), TIOCGWINSZ, &window) == 0 && window.ws_col > 0
                             ? window.ws_col - 1
                             : 79;
  std::fprintf(out_, "\r\033[K%s", text.substr(0, columns).c_str());
  std::fflush(out_);
  open_ = true;
}

void Progress::Print(const std::string& text) {
  Clear();
  std::fprintf(out_, "%s\n", text.c_str());
  std::fflush(out_);
}

void Progress::Clear() {
  if (!open_) return;
  std::fprintf(out_, "\r\033[K");
  std::fflush(out_);
  open_ = false;
}

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::string FormatSeconds(double seconds) {
  const int64_t s = std::llround(std::fmax(seconds, 0));
  if (s >= 3600) return absl::StrFormat("%d h %02d min", s / 3600, s % 3600 / 60);
  if (s >= 60) return absl::StrFormat("%d min %02d s", s / 60, s % 60);
  return absl::StrFormat("%d s", s);
}

std::string FormatBytes(double bytes) {
  if (bytes >= 1e9) return absl::StrFormat("%.1f GB", bytes / 1e9);
  if (bytes >= 1e6) return absl::StrFormat("%.0f MB", bytes / 1e6);
  return absl::StrFormat("%.0f kB", std::ceil(bytes / 1e3));
}

double PeakBytes() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return 1024.0 * usage.ru_maxrss;
}

}  // namespace base
