// Memory for large blocks that come and go in the same pattern again and again.
#ifndef BASE_BLOCK_POOL_H_
#define BASE_BLOCK_POOL_H_

#include <cstddef>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>

namespace base {

// A range of addresses from which blocks are taken, and to which they return; the system gets
// nothing back. Only large blocks are in it, so that neighbours which are free become one: in the
// heap of malloc(), small blocks between them prevent that. Thread-safe.
class BlockPool {
 public:
  // Reserves `bytes` of addresses, or as many as the system grants, but uses no memory yet.
  explicit BlockPool(size_t bytes);
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  // Returns `bytes` (at least 1), aligned to kAlignment, with any contents; null if the pool is
  // exhausted or the system has no more memory.
  void* Take(size_t bytes);

  // Returns whether `block` came from Take(), and takes it back if so.
  bool Return(void* block);

  size_t in_use() const;  // bytes of the blocks that are taken, rounded up
  size_t extent() const;  // bytes that were ever made usable

  static constexpr size_t kAlignment = 64;  // as LibTorch aligns tensors on CPUs

 private:
  using Free = std::map<char*, size_t>;  // begin, bytes

  bool Extend(size_t bytes);
  void AddFree(char* begin, size_t bytes);
  void RemoveFree(Free::iterator block);

  char* begin_ = nullptr;
  char* usable_ = nullptr;  // memory up to here
  char* end_ = nullptr;     // addresses up to here
  mutable std::mutex mutex_;
  size_t in_use_ = 0;
  Free free_;                                   // no two of them touch
  std::set<std::pair<size_t, char*>> by_size_;  // of free_
  std::unordered_map<void*, size_t> taken_;
};

}  // namespace base

#endif  // BASE_BLOCK_POOL_H_
