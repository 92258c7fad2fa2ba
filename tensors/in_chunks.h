// Matrix products in threads, with results that do not depend on the number of threads.
#ifndef TENSORS_IN_CHUNKS_H_
#define TENSORS_IN_CHUNKS_H_

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace tensors {

// Calls work(begin, end) for each `chunk` of the items 0 to `count` - 1, in threads and without
// gradients; a thread takes the next chunk when it has finished one. `work` must not depend on the
// order of the chunks.
//
// The last bit of a matrix product depends on its size, on the place of its operands in memory, and
// on how the library divides it among threads. A product in `work` is computed by one thread, and
// is the same with any number of threads. A chunk whose product fits into a core's cache is faster,
// too, than one product for all items.
template <class Work>
void InChunks(int64_t count, int64_t chunk, const Work& work) {
  std::atomic<int64_t> next = 0;
  // Two at least: a single call would be outside a parallel region, where products use all threads.
  at::parallel_for(0, std::max(2, at::get_num_threads()), /*grain_size=*/1, [&](int64_t, int64_t) {
    const at::NoGradGuard no_grad;  // of this thread
    for (int64_t begin; (begin = chunk * next++) < count;) {
      work(begin, std::min(count, begin + chunk));
    }
  });
}

}  // namespace tensors

#endif  // TENSORS_IN_CHUNKS_H_
