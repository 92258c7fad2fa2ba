#include "base/block_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <thread>
#include <vector>

#include "base/rng.h"

namespace base {
namespace {

constexpr size_t kMega = 1 << 20;

uintptr_t Address(const void* block) { return reinterpret_cast<uintptr_t>(block); }

// Blocks of random sizes come and go; none touches another one, and all keep what was written.
void UseAtRandom(BlockPool& pool, uint64_t seed) {
  struct Block {
    size_t bytes;
    uint8_t mark;
  };
  std::map<uint8_t*, Block> blocks;
  Rng rng(seed, Purpose::kTest);
  for (int i = 0; i < 3000; ++i) {
    if (blocks.size() < 20 || rng.Bernoulli(0.5)) {
      const size_t bytes = rng.UniformInt(1, rng.Bernoulli(0.1) ? 3 * kMega : 100'000);
      auto* block = static_cast<uint8_t*>(pool.Take(bytes));
      ASSERT_NE(block, nullptr);
      ASSERT_EQ(Address(block) % BlockPool::kAlignment, 0);
      const auto mark = static_cast<uint8_t>(rng.UniformInt(0, 255));
      std::memset(block, mark, bytes);
      ASSERT_TRUE(blocks.emplace(block, Block{bytes, mark}).second);
    } else {
      const auto block = std::next(blocks.begin(), rng.UniformInt(0, blocks.size() - 1));
      const auto [bytes, mark] = block->second;
      ASSERT_EQ(std::count(block->first, block->first + bytes, mark), bytes);
      ASSERT_TRUE(pool.Return(block->first));
      blocks.erase(block);
    }
  }
  for (const auto& [block, unused] : blocks) ASSERT_TRUE(pool.Return(block));
}

TEST(BlockPoolTest, FreeNeighboursBecomeOne) {
  BlockPool pool(512 * kMega);
  for (uint64_t seed = 0; seed < 3; ++seed) UseAtRandom(pool, seed);
  EXPECT_EQ(pool.in_use(), 0);
  const size_t extent = pool.extent();
  void* all = pool.Take(extent - 2 * BlockPool::kAlignment);
  EXPECT_NE(all, nullptr);
  EXPECT_EQ(pool.extent(), extent);  // it needed no new memory
  EXPECT_TRUE(pool.Return(all));
}

TEST(BlockPoolTest, SamePatternSameBlocks) {
  BlockPool pool(512 * kMega);
  const auto step = [&] {
    std::vector<void*> blocks;
    for (int i = 1; i < 20; ++i) blocks.push_back(pool.Take(i * 300'000));
    const std::vector<void*> taken = blocks;
    for (void* block : taken) EXPECT_TRUE(pool.Return(block));
    return taken;
  };
  const std::vector<void*> first = step();
  EXPECT_EQ(step(), first);
}

TEST(BlockPoolTest, Threads) {
  BlockPool pool(512 * kMega);
  std::vector<std::thread> threads;
  for (uint64_t seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&pool, seed] { UseAtRandom(pool, seed); });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(BlockPoolTest, Exhausted) {
  BlockPool pool(64 * kMega);
  EXPECT_EQ(pool.Take(65 * kMega), nullptr);
  void* block = pool.Take(60 * kMega);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(pool.Take(10 * kMega), nullptr);
  EXPECT_TRUE(pool.Return(block));
  EXPECT_NE(pool.Take(10 * kMega), nullptr);
}

TEST(BlockPoolTest, NoAddresses) {
  BlockPool pool(0);
  EXPECT_EQ(pool.Take(1), nullptr);
  EXPECT_EQ(pool.extent(), 0);
}

TEST(BlockPoolTest, OthersBlocks) {
  BlockPool pool(64 * kMega);
  int other = 0;
  EXPECT_FALSE(pool.Return(&other));
  EXPECT_FALSE(pool.Return(nullptr));
}

}  // namespace
}  // namespace base
