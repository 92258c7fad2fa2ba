// The memory of training.
#ifndef TENSORS_MEMORY_H_
#define TENSORS_MEMORY_H_

#include <cstddef>

namespace tensors {

// Keeps freed memory in the process. Each step frees and allocates the same gigabyte; returning it
// to the system would cost page faults, 15 to 25 % of the time of a step on a CPU. Large tensors on
// the CPU get a range of addresses of their own (BlockPool), without the gaps that small blocks
// leave in a heap, and with pages of 2 MB where the system allows them; if the process's addresses
// are limited (ulimit -v), they stay in the heap. benchmarks/README.md has measurements. Call it
// first in main().
void KeepFreedMemory();

// Returns the number of bytes in use, in blocks of the heap and in tensors on the CPU.
size_t MemoryInUse();

}  // namespace tensors

#endif  // TENSORS_MEMORY_H_
