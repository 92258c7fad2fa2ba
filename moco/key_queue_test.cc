#include "moco/key_queue.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <tuple>
#include <vector>

namespace moco {
namespace {

TEST(KeyQueueTest, StartsAsUnitVectors) {
  const KeyQueue queue(8, 5);
  ASSERT_EQ(queue.keys().sizes(), at::IntArrayRef({5, 8}));
  const at::Tensor norms = at::linalg_vector_norm(queue.keys(), 2, /*dim=*/1);
  EXPECT_TRUE(norms.allclose(at::full({5}, 1.0)));
  EXPECT_EQ(queue.position(), 0);
}

// K and batches of any size, against a queue kept by hand.
class KeyQueueSizes : public testing::TestWithParam<std::tuple<int, std::vector<int>>> {};

TEST_P(KeyQueueSizes, HoldsTheLastKeysWhateverTheSizes) {
  const auto& [size, batches] = GetParam();
  KeyQueue queue(1, size);
  queue.Load(at::arange(-size, 0, at::kFloat).view({1, size}), 0);
  std::deque<float> expected;
  for (int i = -size; i < 0; ++i) expected.push_back(static_cast<float>(i));
  float next = 0;
  for (int batch : batches) {
    queue.Enqueue(at::arange(next, next + batch, at::kFloat).view({batch, 1}));
    for (int i = 0; i < batch; ++i) {
      expected.push_back(next++);
      expected.pop_front();
    }
    // Oldest first, the ring starts at position().
    for (int i = 0; i < size; ++i) {
      EXPECT_EQ(queue.keys()[(queue.position() + i) % size].item<float>(), expected[i]);
    }
    for (int n = 1; n <= size; ++n) {
      const at::Tensor newest = queue.Newest(n);
      ASSERT_EQ(newest.size(0), n);
      for (int i = 0; i < n; ++i) EXPECT_EQ(newest[i].item<float>(), expected[size - n + i]);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, KeyQueueSizes,
    testing::Values(std::tuple(8, std::vector{4, 4, 4}),        // divides, as the reference demands
                    std::tuple(8, std::vector{3, 3, 3, 3, 3}),  // wraps in the middle of a batch
                    std::tuple(7, std::vector{7, 7, 1}), std::tuple(5, std::vector{12, 1, 5, 17}),
                    std::tuple(1, std::vector{1, 2, 3})));

TEST(KeyQueueTest, SkippedKeysLeaveEveryBit) {
  KeyQueue queue(3, 4);
  const at::Tensor before = queue.keys().clone();
  queue.Enqueue(at::full({3, 3}, std::nan("")), at::full({}, 1.f));
  EXPECT_TRUE(at::equal(queue.keys(), before));
  EXPECT_EQ(queue.position(), 3);
  queue.MoveBack(0);
  queue.Enqueue(at::full({1, 3}, 0.5), at::full({}, 0.f));
  EXPECT_EQ(queue.keys()[0][0].item<float>(), 0.5);
  EXPECT_EQ(queue.position(), 1);
}

TEST(KeyQueueTest, LoadIsTheInverseOfTransposed) {
  KeyQueue a(3, 4), b(3, 4);
  a.Enqueue(at::full({3, 3}, 0.5));
  b.Load(a.Transposed(), a.position());
  EXPECT_TRUE(at::equal(a.keys(), b.keys()));
  EXPECT_EQ(b.position(), 3);
  EXPECT_EQ(a.Transposed().sizes(), at::IntArrayRef({3, 4}));
}

}  // namespace
}  // namespace moco
