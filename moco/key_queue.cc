#include "moco/key_queue.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/where.h>

#include <algorithm>

namespace moco {

KeyQueue::KeyQueue(int64_t dim, int64_t size) {
  const at::Tensor noise = at::randn({dim, size});
  keys_ = (noise / at::linalg_vector_norm(noise, 2, /*dim=*/0, /*keepdim=*/true).clamp_min(1e-12))
              .t()
              .contiguous();
}

void KeyQueue::Enqueue(const at::Tensor& keys, const at::Tensor& skip) {
  const int64_t size = keys_.size(0), batch = keys.size(0);
  const int64_t skipped = std::max<int64_t>(batch - size, 0);  // overwritten anyway
  position_ = (position_ + skipped) % size;
  for (int64_t from = skipped; from < batch;) {
    const int64_t run = std::min(batch - from, size - position_);
    const at::Tensor old = keys_.narrow(0, position_, run), fresh = keys.narrow(0, from, run);
    old.copy_(skip.defined() ? at::where(skip != 0, old, fresh) : fresh);
    position_ = (position_ + run) % size;
    from += run;
  }
}

at::Tensor KeyQueue::Newest(int64_t n) const {
  if (n <= position_) return keys_.narrow(0, position_ - n, n);
  const int64_t wrapped = n - position_;  // keys that fit before the end of the ring
  return at::cat(
      {keys_.narrow(0, keys_.size(0) - wrapped, wrapped), keys_.narrow(0, 0, position_)});
}

void KeyQueue::To(at::Device device, at::ScalarType dtype) { keys_ = keys_.to(device, dtype); }

void KeyQueue::Load(const at::Tensor& transposed, int64_t position) {
  keys_.copy_(transposed.t());
  position_ = position;
}

}  // namespace moco
