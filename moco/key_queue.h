// The dictionary as a queue (section 3.1 of the MoCo paper): the keys of the last batches.
#ifndef MOCO_KEY_QUEUE_H_
#define MOCO_KEY_QUEUE_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace moco {

// A ring of K rows, for any K and any batch size. A batch that reaches the end continues at the
// front; only the last K keys of a batch larger than K stay.
class KeyQueue {
 public:
  // The queue starts with `size` random unit vectors of length `dim`, drawn from LibTorch's default
  // generator as the reference draws them.
  KeyQueue(int64_t dim, int64_t size);

  // K x dim, unit rows. The tensor is changed in place by Enqueue.
  const at::Tensor& keys() const { return keys_; }

  int64_t size() const { return keys_.size(0); }  // K

  // Returns the `n` (1 to K) newest keys, newest last: n x dim.
  at::Tensor Newest(int64_t n) const;

  // Where the next key goes, 0 to K - 1.
  int64_t position() const { return position_; }

  // Replaces the oldest keys. keys: N x dim. skip: undefined, or a single number on the keys'
  // device; if it is not 0, the queue keeps every bit, and only position() moves.
  void Enqueue(const at::Tensor& keys, const at::Tensor& skip = {});

  // Moves position() back to where it was before keys that were skipped.
  void MoveBack(int64_t position) { position_ = position; }

  void To(at::Device device, at::ScalarType dtype);

  // The reference's layout, dim x K, and its pointer; Load is their inverse (same dim and K).
  at::Tensor Transposed() const { return keys_.t(); }
  void Load(const at::Tensor& transposed, int64_t position);

 private:
  at::Tensor keys_;
  int64_t position_ = 0;
};

}  // namespace moco

#endif  // MOCO_KEY_QUEUE_H_
