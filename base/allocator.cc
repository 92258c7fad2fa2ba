#include "base/allocator.h"

#include <malloc.h>

#include <limits>

namespace base {

void KeepFreedMemory() {
  mallopt(M_MMAP_MAX, 0);  // takes large blocks from the heap instead of mapping each one
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TOP_PAD, 64 << 20);
}

}  // namespace base
