// The wheels of cuda.lock fit those of cpu.lock: LibTorch's headers for CUDA and NCCL compile with
// theirs, its libraries load with theirs. What needs a device is skipped where there is none.
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/full.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <c10/cuda/CUDAFunctions.h>
#include <cuda_runtime_api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nccl.h>
#include <nvrtc.h>

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

TEST(CudaTest, LibrariesAreThoseOfTheHeaders) {
  int runtime = 0, nccl = 0;
  ASSERT_EQ(cudaRuntimeGetVersion(&runtime), cudaSuccess);
  EXPECT_EQ(runtime, CUDART_VERSION);
  ASSERT_EQ(ncclGetVersion(&nccl), ncclSuccess);
  EXPECT_EQ(nccl, NCCL_VERSION_CODE);
  const at::CUDAHooksInterface& torch = at::detail::getCUDAHooks();
  EXPECT_EQ(torch.versionRuntimeCuDNN(), torch.versionCuDNN());
}

// Needs libnvrtc-builtins, which libnvrtc loads by name.
TEST(CudaTest, KernelsAreCompiledAtRunTime) {
  nvrtcProgram program;
  ASSERT_EQ(nvrtcCreateProgram(&program, "__global__ void F(float* x) { *x = sqrtf(*x); }", "f.cu",
                               0, nullptr, nullptr),
            NVRTC_SUCCESS);
  EXPECT_EQ(nvrtcCompileProgram(program, 0, nullptr), NVRTC_SUCCESS);
  nvrtcDestroyProgram(&program);
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
