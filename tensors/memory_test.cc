#include "tensors/memory.h"

#include <ATen/ops/full.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdint>

namespace tensors {
namespace {

constexpr size_t kBytes = 40 << 20;

at::Tensor Large() { return at::full({kBytes}, 7, at::kByte); }

// The first test: tensors of before are freed as they were allocated.
TEST(MemoryTest, TensorsAreInUseUntilTheyAreFreed) {
  at::Tensor from_before = Large();
  KeepFreedMemory();
  const size_t before = MemoryInUse();
  at::Tensor large = Large(), small = at::full({10}, 7, at::kByte);
  EXPECT_GE(MemoryInUse(), before + kBytes);
  EXPECT_LT(MemoryInUse(), before + kBytes + (1 << 20));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(large.data_ptr()) % 64, 0);
  EXPECT_EQ(large.sum().item<int64_t>(), 7 * int64_t{kBytes});
  const void* place = large.data_ptr();
  large.reset();
  EXPECT_LT(MemoryInUse(), before + (1 << 20));
  EXPECT_EQ(Large().data_ptr(), place);
  from_before.reset();
  EXPECT_LT(MemoryInUse(), before);
}

TEST(MemoryTest, StepsWithTheSameTensorsNeedNoMorePages) {
  KeepFreedMemory();
  const auto faults = [] {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
  };
  Large();
  const int64_t before = faults();
  for (int i = 0; i < 5; ++i) Large();
  EXPECT_LT(faults() - before, 100);  // one such tensor has 10,240 pages of 4 KB
}

TEST(MemoryTest, NothingAndTooMuch) {
  KeepFreedMemory();
  EXPECT_EQ(at::full({0}, 7, at::kByte).numel(), 0);
  EXPECT_THROW(at::full({int64_t{1} << 60}, 7, at::kByte), c10::Error);
}

}  // namespace
}  // namespace tensors
