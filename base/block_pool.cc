#include "base/block_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <iterator>

namespace base {
namespace {

constexpr size_t kExtension = 32 << 20;  // whole huge pages

size_t RoundUp(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

}  // namespace

BlockPool::BlockPool(size_t bytes) {
  constexpr int kPrivate = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* range = MAP_FAILED;
  while (range == MAP_FAILED && bytes >= kExtension) {
    range = mmap(nullptr, bytes, PROT_NONE, kPrivate, -1, 0);
    if (range == MAP_FAILED) bytes /= 2;
  }
  if (range == MAP_FAILED) return;
  begin_ = usable_ = static_cast<char*>(range);
  end_ = begin_ + bytes;
  // Where the system allows it, a page has 2 MB: far fewer misses when addresses are translated.
  madvise(range, bytes, MADV_HUGEPAGE);
}

BlockPool::~BlockPool() {
  if (begin_ != nullptr) munmap(begin_, end_ - begin_);
}

// The smallest block that is large enough, and of those the first one.
void* BlockPool::Take(size_t bytes) {
  // Blocks of a power of two would all begin at the same place of a page, where caches keep few of
  // them; so one unit more.
  bytes = RoundUp(bytes, kAlignment) + kAlignment;
  const std::lock_guard lock(mutex_);
  auto found = by_size_.lower_bound({bytes, nullptr});
  if (found == by_size_.end()) {
    if (!Extend(bytes)) return nullptr;
    found = by_size_.lower_bound({bytes, nullptr});
  }
  const auto [size, begin] = *found;
  RemoveFree(free_.find(begin));
  if (size > bytes) AddFree(begin + bytes, size - bytes);
  taken_.emplace(begin, bytes);
  in_use_ += bytes;
  return begin;
}

bool BlockPool::Return(void* block) {
  if (block < begin_ || block >= end_) return false;
  const std::lock_guard lock(mutex_);
  const auto found = taken_.find(block);
  if (found == taken_.end()) return false;
  const size_t bytes = found->second;
  taken_.erase(found);
  in_use_ -= bytes;
  AddFree(static_cast<char*>(block), bytes);
  return true;
}

size_t BlockPool::in_use() const {
  const std::lock_guard lock(mutex_);
  return in_use_;
}

size_t BlockPool::extent() const {
  const std::lock_guard lock(mutex_);
  return usable_ - begin_;
}

// Makes memory usable until the last free block, which is at its end, has `bytes`.
bool BlockPool::Extend(size_t bytes) {
  size_t at_end = 0;
  if (!free_.empty()) {
    const auto& [begin, size] = *free_.rbegin();
    if (begin + size == usable_) at_end = size;
  }
  const size_t more = RoundUp(bytes - at_end, kExtension);
  if (more > static_cast<size_t>(end_ - usable_)) return false;
  if (mprotect(usable_, more, PROT_READ | PROT_WRITE) != 0) return false;
  char* begin = usable_;
  usable_ += more;
  AddFree(begin, more);
  return true;
}

// Joins it with the free neighbours.
void BlockPool::AddFree(char* begin, size_t bytes) {
  auto next = free_.lower_bound(begin);
  if (next != free_.end() && begin + bytes == next->first) {
    bytes += next->second;
    const auto joined = next++;
    RemoveFree(joined);
  }
  if (next != free_.begin()) {
    const auto previous = std::prev(next);
    if (previous->first + previous->second == begin) {
      begin = previous->first;
      bytes += previous->second;
      RemoveFree(previous);
    }
  }
  free_.emplace(begin, bytes);
  by_size_.emplace(bytes, begin);
}

void BlockPool::RemoveFree(Free::iterator block) {
  by_size_.erase({block->second, block->first});
  free_.erase(block);
}

}  // namespace base
