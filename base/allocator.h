// Settings of the memory allocator for training.
#ifndef BASE_ALLOCATOR_H_
#define BASE_ALLOCATOR_H_

namespace base {

// Keeps freed memory in the process. Each step frees and allocates the same gigabyte; returning it
// to the system would cost page faults, 15 to 25 % of the time of a step on a CPU. Call it first in
// main().
void KeepFreedMemory();

}  // namespace base

#endif  // BASE_ALLOCATOR_H_
