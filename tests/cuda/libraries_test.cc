// The wheels of cuda.lock fit those of cpu.lock: LibTorch's headers for CUDA and NCCL compile with
// theirs, its libraries load with theirs. What needs a device is skipped where there is none.
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/full.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <c10/cuda/CUDAFunctions.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#include <vector>

namespace {

using ::testing::HasSubstr;

TEST(CudaTest, OperatorsHaveKernelsForIt) {
  for (const char* name : {"aten::mm", "aten::cudnn_convolution", "c10d::allreduce_"}) {
    const auto schema = c10::Dispatcher::singleton().findSchema({name, ""});
    ASSERT_TRUE(schema) << name;
    EXPECT_TRUE(schema->hasKernelForDispatchKey(c10::DispatchKey::CUDA)) << name;
  }
}

TEST(CudaTest, NcclNeedsADevice) {
  if (c10::cuda::device_count() > 0) GTEST_SKIP() << "there is a device here";
  try {
    c10d::ProcessGroupNCCL(c10::make_intrusive<c10d::HashStore>(), /*rank=*/0, /*size=*/1);
    FAIL() << "made without a device";
  } catch (const c10::Error& error) {
    EXPECT_THAT(error.what_without_backtrace(), HasSubstr("no GPUs found"));
  }
}

// The libraries that are loaded by name at the first use: cuDNN's parts and cuBLAS.
TEST(CudaTest, DeviceAgreesWithTheCpu) {
  if (c10::cuda::device_count() == 0) GTEST_SKIP() << "no device here";
  const at::Tensor images = at::randn({4, 3, 32, 32}), filters = at::randn({8, 3, 3, 3});
  const at::Tensor matrix = at::randn({32, 16});
  const at::Tensor there =
      at::matmul(at::conv2d(images.cuda(), filters.cuda(), {}, 1, 1), matrix.cuda()).cpu();
  const at::Tensor here = at::matmul(at::conv2d(images, filters, {}, 1, 1), matrix);
  EXPECT_LT((there - here).norm().item<double>(),
            1e-2 * here.norm().item<double>());  // TF32 is allowed
}

TEST(CudaTest, NcclReducesOverOneRank) {
  if (c10::cuda::device_count() == 0) GTEST_SKIP() << "no device here";
  const auto group = c10::make_intrusive<c10d::ProcessGroupNCCL>(
      c10::make_intrusive<c10d::HashStore>(), /*rank=*/0, /*size=*/1);
  std::vector<at::Tensor> values = {at::full({3}, 2.0, at::kCUDA)};
  group->allreduce(values)->wait();
  EXPECT_TRUE(values[0].cpu().equal(at::full({3}, 2.0)));
  group->shutdown();
}

}  // namespace
