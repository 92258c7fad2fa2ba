#include "tensors/memory.h"

#include <c10/core/CPUAllocator.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <limits>

#include "base/block_pool.h"

namespace tensors {
namespace {

constexpr size_t kLarge = 64 << 10;

// Of twice the machine's memory, since gaps take addresses only. A limit on addresses would leave
// too few for everything else. Never destroyed: tensors may outlive it.
base::BlockPool& Pool() {
  static auto* pool = [] {
    rlimit addresses;
    const bool unlimited =
        getrlimit(RLIMIT_AS, &addresses) == 0 && addresses.rlim_cur == RLIM_INFINITY;
    const size_t memory = size_t{1} * sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGE_SIZE);
    return new base::BlockPool(unlimited ? 2 * memory : 0);
  }();
  return *pool;
}

void Delete(void* block) {
  if (!Pool().Return(block)) c10::GetDefaultCPUAllocator()->raw_deallocate(block);
}

class TensorAllocator : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    void* block = bytes < kLarge ? nullptr : Pool().Take(bytes);
    // Also reports a lack of memory as LibTorch does.
    if (block == nullptr) block = c10::GetDefaultCPUAllocator()->raw_allocate(bytes);
    return {block, block, &Delete, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &Delete; }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
};

}  // namespace

void KeepFreedMemory() {
  mallopt(M_MMAP_MAX, 0);  // takes large blocks from the heap instead of mapping each one
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TOP_PAD, 64 << 20);
  static auto* allocator = new TensorAllocator;
  constexpr uint8_t kAboveDefault = 1;
  c10::SetCPUAllocator(allocator, kAboveDefault);
}

size_t MemoryInUse() {
  const struct mallinfo2 heap = mallinfo2();
  return heap.uordblks + heap.hblkhd + Pool().in_use();
}

}  // namespace tensors
