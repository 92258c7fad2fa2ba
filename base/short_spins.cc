#include "base/short_spins.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <system_error>

#include "base/cores.h"

namespace base {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kInterval = std::chrono::milliseconds(500);
constexpr double kBusy = 0.25, kCalm = 0.1;
constexpr int kCalmIntervals = 4;

// For each thread of this process, by its number, the seconds that it has waited for a core so far.
std::map<std::string, double> Waits() {
  std::map<std::string, double> waits;
  std::error_code error;
  for (std::filesystem::directory_iterator i("/proc/self/task", error), end; !error && i != end;
       i.increment(error)) {
    std::ifstream file(i->path() / "schedstat");
    // Nanoseconds on a core, and nanoseconds ready to run without one.
    if (double ran = 0, waited = 0; file >> ran >> waited) {
      waits[i->path().filename()] = waited * 1e-9;
    }
  }
  return waits;
}

}  // namespace

bool SpinRule::IsShort(double waiting) {
  calm_ = waiting < kCalm ? calm_ + 1 : 0;
  short_ = waiting >= kBusy || (short_ && calm_ < kCalmIntervals);
  return short_;
}

ShortSpins::ShortSpins() {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  watch_ = std::thread([this] { Watch(); });
}

ShortSpins::~ShortSpins() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  if (watch_.joinable()) watch_.join();
  Set(false);
}

bool ShortSpins::AreShort() const {
  const std::lock_guard lock(mutex_);
  return short_;
}

void ShortSpins::Watch() {
  SpinRule rule;
  auto waits = Waits();
  auto time = Clock::now();
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (changed_.wait_for(lock, kInterval, [this] { return ended_; })) return;
    }
    auto waits_now = Waits();
    const auto now = Clock::now();
    double waited = 0;
    for (const auto& [thread, seconds] : waits_now) {
      if (const auto before = waits.find(thread); before != waits.end()) {
        waited += seconds - before->second;
      }
    }
    Set(rule.IsShort(waited / std::chrono::duration<double>(now - time).count()));
    waits = std::move(waits_now);
    time = now;
  }
}

void ShortSpins::Set(bool on) {
  {
    const std::lock_guard lock(mutex_);
    if (on == short_) return;
    short_ = on;
  }
  if (on) {
    hold_ = std::thread([this] { Hold(); });
  } else {
    changed_.notify_all();
    hold_.join();
  }
}

// The library has no call for it, but spins for about a microsecond only while it has more threads
// than there are cores. So this makes a team of as many threads as cores, which sleep.
void ShortSpins::Hold() {
#pragma omp parallel num_threads(Cores())
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !short_; });
  }
}

}  // namespace base
