// Blocks against their definitions, with the largest values and weights that occur.
#include "augment/blocks.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/rng.h"

namespace augment {
namespace {

constexpr int kSizes[] = {32, 33, 63, 64, 100};

bool HasAvx2() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2");
#else
  return false;
#endif
}

// Values of which a third each are 0 and 255.
std::vector<uint8_t> Values(size_t n) {
  base::Rng rng(/*seed=*/0, base::Purpose::kTest);
  std::vector<uint8_t> values(n);
  for (uint8_t& value : values) {
    const int64_t kind = rng.UniformInt(0, 2);
    value = static_cast<uint8_t>(kind == 2 ? rng.UniformInt(0, 255) : 255 * kind);
  }
  return values;
}

TEST(BlocksTest, TooFewValues) {
  const std::vector<uint8_t> values = Values(200);
  std::vector<uint8_t> to(31);
  const int32_t weight = 1 << 22;
  EXPECT_FALSE(WeightedBlocks(values.data(), 31, &weight, 1, 31, to.data()));
  EXPECT_FALSE(BlurBlocks(&values[62], 31, 31, 0, 1 << 24, 0, to.data()));
}

TEST(BlocksTest, Weighted) {
  constexpr size_t kStride = 103;
  for (const int n : kSizes) {
    for (int taps = 1; taps <= 7; ++taps) {
      const std::vector<uint8_t> rows = Values((taps - 1) * kStride + n);  // and not a value more
      for (const bool is_even : {false, true}) {
        std::vector<int32_t> weights(taps, (1 << 22) / taps);
        if (!is_even) weights[0] += (1 << 22) - taps * ((1 << 22) / taps) + 1;  // a little over 1
        std::vector<uint8_t> to(n, 7);
        const bool is_done =
            WeightedBlocks(rows.data(), kStride, weights.data(), taps, n, to.data());
        ASSERT_EQ(is_done, HasAvx2());
        if (!is_done) return;  // ops.cc has loops for such processors
        for (int x = 0; x < n; ++x) {
          int64_t sum = 1 << 21;
          for (int i = 0; i < taps; ++i) sum += int64_t{weights[i]} * rows[i * kStride + x];
          ASSERT_EQ(to[x], sum >> 22) << n << " values, " << taps << " taps, at " << x;
        }
      }
    }
  }
}

TEST(BlocksTest, Blur) {
  constexpr ptrdiff_t kStep = 3;
  for (const int n : kSizes) {
    for (const int whole : {0, 1}) {
      const int edge = whole + 1;
      const std::vector<uint8_t> values = Values(n + 2 * edge * kStep);
      for (const uint32_t inner : {(1u << 24) / (2 * whole + 1), 4'000'001u, 5'592'405u}) {
        const uint32_t outer = ((1u << 24) - (2 * whole + 1) * inner) / 2;
        if ((2 * whole + 1) * inner > 1u << 24) continue;
        const uint8_t* from = &values[edge * kStep];
        std::vector<uint8_t> to(n, 7);
        const bool is_done = BlurBlocks(from, kStep, n, whole, inner, outer, to.data());
        ASSERT_EQ(is_done, HasAvx2());
        if (!is_done) return;  // ops.cc has loops for such processors
        for (int x = 0; x < n; ++x) {
          uint64_t sum = 1 << 23;
          for (int i = -whole; i <= whole; ++i) sum += uint64_t{inner} * from[x + i * kStep];
          sum += uint64_t{outer} * (from[x - edge * kStep] + from[x + edge * kStep]);
          ASSERT_EQ(to[x], sum >> 24) << n << " values, " << inner << ", at " << x;
        }
      }
    }
  }
}

}  // namespace
}  // namespace augment
