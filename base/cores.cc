#include "base/cores.h"

#include <algorithm>
#include <thread>

namespace base {

int Cores() { return static_cast<int>(std::max(1u, std::thread::hardware_concurrency())); }

}  // namespace base
