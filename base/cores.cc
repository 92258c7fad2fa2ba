#include "base/cores.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

namespace base {
namespace {

// glibc's and libstdc++'s own functions count the cores of the machine.
std::optional<cpu_set_t> Allowed() {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return std::nullopt;
  return allowed;
}

}  // namespace

int Cores() {
  if (const auto allowed = Allowed()) return std::max(1, CPU_COUNT(&*allowed));
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

std::string CoresId() {
  std::string id;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), id);
  if (const auto allowed = Allowed()) {
    for (int core = 0; core < CPU_SETSIZE; ++core) {
      if (CPU_ISSET(core, &*allowed)) id += " " + std::to_string(core);
    }
  }
  return id;
}

}  // namespace base
