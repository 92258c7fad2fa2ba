#include "tools/doctor/duplicates.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <map>
#include <numeric>
#include <system_error>
#include <thread>
#include <utility>

namespace doctor {
namespace {

constexpr int kParts = 4, kPartBits = 16;
// Two hashes that differ in at most kNearBits bits differ in at most this many in one of the parts.
constexpr int kPartRadius = kNearBits / kParts;
static_assert(kPartRadius == 1);

// Images that are so unlike each other say little by their common hash; more of them are not
// compared, so that a million of them do not take for ever.
constexpr size_t kMaxOfHash = 32;

uint32_t Part(uint64_t hash, int part) { return hash >> (part * kPartBits) & 0xFFFF; }

// Sets of numbers 0 to n - 1 that are joined.
class Sets {
 public:
  explicit Sets(int64_t n) : parents_(n) { std::iota(parents_.begin(), parents_.end(), 0); }

  int64_t Of(int64_t i) {
    while (parents_[i] != i) i = parents_[i] = parents_[parents_[i]];
    return i;
  }
  // The smallest of a set stands for it.
  void Join(int64_t a, int64_t b) {
    a = Of(a);
    b = Of(b);
    parents_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<int64_t> parents_;
};

// For each value of a part of the hashes, which of them have it.
class PartIndex {
 public:
  PartIndex(const std::vector<uint64_t>& hashes, int part) : begins_((1 << kPartBits) + 1) {
    for (const uint64_t hash : hashes) ++begins_[Part(hash, part) + 1];
    std::partial_sum(begins_.begin(), begins_.end(), begins_.begin());
    std::vector<uint32_t> next(begins_.begin(), begins_.end() - 1);
    members_.resize(hashes.size());
    for (size_t i = 0; i < hashes.size(); ++i) {
      members_[next[Part(hashes[i], part)]++] = static_cast<uint32_t>(i);
    }
  }

  const uint32_t* begin(uint32_t value) const { return members_.data() + begins_[value]; }
  const uint32_t* end(uint32_t value) const { return members_.data() + begins_[value + 1]; }

 private:
  std::vector<uint32_t> begins_, members_;
};

using Pair = std::pair<uint32_t, uint32_t>;

// Pairs of hashes (by index, the smaller first) within kNearBits, some of them more than once.
std::vector<Pair> NearHashes(const std::vector<uint64_t>& hashes, int threads) {
  std::vector<PartIndex> indices;
  for (int part = 0; part < kParts; ++part) indices.emplace_back(hashes, part);
  constexpr size_t kChunk = 1024;
  std::atomic<size_t> next = 0;
  std::vector<std::vector<Pair>> found(threads);
  const auto work = [&](std::vector<Pair>& pairs) {
    for (size_t from = next.fetch_add(kChunk); from < hashes.size();
         from = next.fetch_add(kChunk)) {
      for (size_t i = from; i < std::min(from + kChunk, hashes.size()); ++i) {
        for (int part = 0; part < kParts; ++part) {
          const uint32_t value = Part(hashes[i], part);
          for (int bit = -1; bit < kPartBits; ++bit) {
            const uint32_t probe = bit < 0 ? value : value ^ 1u << bit;
            // Members are ascending: those above i are compared.
            const uint32_t* const end = indices[part].end(probe);
            for (const uint32_t* j = std::upper_bound(indices[part].begin(probe), end, i); j != end;
                 ++j) {
              if (std::popcount(hashes[i] ^ hashes[*j]) <= kNearBits) pairs.emplace_back(i, *j);
            }
          }
        }
      }
    }
  };
  std::vector<std::thread> workers;
  try {
    for (int t = 1; t < threads; ++t) workers.emplace_back(work, std::ref(found[t]));
  } catch (const std::system_error&) {
    // Those that run do all of the work.
  }
  work(found[0]);
  for (std::thread& worker : workers) worker.join();
  std::vector<Pair> all;
  for (const std::vector<Pair>& pairs : found) all.insert(all.end(), pairs.begin(), pairs.end());
  return all;
}

// The sets with at least two members.
std::vector<std::vector<int64_t>> Groups(Sets& sets, int64_t size) {
  std::vector<std::vector<int64_t>> groups;
  std::vector<int64_t> place(size, -1);  // of the group that i stands for
  for (int64_t i = 0; i < size; ++i) {
    const int64_t first = sets.Of(i);
    if (first == i) continue;
    if (place[first] < 0) {
      place[first] = static_cast<int64_t>(groups.size());
      groups.push_back({first});
    }
    groups[place[first]].push_back(i);
  }
  std::sort(groups.begin(), groups.end());
  return groups;
}

}  // namespace

Duplicates FindDuplicates(const std::vector<Fingerprint>& fingerprints, int threads) {
  const auto size = static_cast<int64_t>(fingerprints.size());
  Duplicates duplicates;
  std::vector<int64_t> order(size);
  std::iota(order.begin(), order.end(), 0);
  const auto pixels = [&](int64_t i) { return fingerprints[i].pixels; };
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return std::pair(pixels(a), a) < std::pair(pixels(b), b);
  });
  Sets exact(size), near(size);
  for (int64_t k = 1; k < size; ++k) {
    if (pixels(order[k - 1]) != pixels(order[k])) continue;
    exact.Join(order[k - 1], order[k]);
    near.Join(order[k - 1], order[k]);
  }
  duplicates.exact = Groups(exact, size);

  // Of images with equal pixels the first stands for all. For each hash: images that are not near
  // each other, each of which stands for those that are near it.
  std::map<uint64_t, std::vector<int64_t>> of_hash;
  for (int64_t i = 0; i < size; ++i) {
    if (exact.Of(i) != i || IsBlank(fingerprints[i])) continue;
    std::vector<int64_t>& others = of_hash[fingerprints[i].perceptual];
    const auto other = std::find_if(others.begin(), others.end(), [&](int64_t j) {
      return IsNear(fingerprints[i], fingerprints[j]);
    });
    if (other != others.end()) {
      near.Join(i, *other);
    } else if (others.size() < kMaxOfHash) {
      others.push_back(i);
    }
  }
  std::vector<uint64_t> hashes;
  std::vector<const std::vector<int64_t>*> images;
  for (const auto& [hash, others] : of_hash) {
    hashes.push_back(hash);
    images.push_back(&others);
  }
  for (const auto& [a, b] : NearHashes(hashes, threads)) {
    for (const int64_t i : *images[a]) {
      for (const int64_t j : *images[b]) {
        if (near.Of(i) != near.Of(j) && IsNear(fingerprints[i], fingerprints[j])) near.Join(i, j);
      }
    }
  }
  for (std::vector<int64_t>& group : Groups(near, size)) {
    const bool all_equal = std::all_of(group.begin(), group.end(),
                                       [&](int64_t i) { return pixels(i) == pixels(group[0]); });
    if (!all_equal) duplicates.near.push_back(std::move(group));
  }
  return duplicates;
}

}  // namespace doctor
