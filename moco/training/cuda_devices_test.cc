#include "moco/training/cuda_devices.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace moco {
namespace {

using ::testing::HasSubstr;

// What is said where no device can be used. It depends on the build, of which LibTorch's own
// library is the witness: it must be there whenever the code for CUDA is, and only then.
std::string Remedy() {
  return dlopen("libtorch_cuda.so", RTLD_LAZY | RTLD_NOLOAD) ? "nvidia-smi" : "--config=cuda";
}

TEST(CudaDevicesTest, WithoutOneTheRemedyIsSaid) {
  if (CudaDeviceCount() > 0) GTEST_SKIP() << "there is a device here";
  const absl::Status status = UseCudaDevice(0);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr(Remedy()));
}

TEST(CudaDevicesTest, EachOneCanBeUsedAndNoOther) {
  const int count = CudaDeviceCount();
  for (int device = 0; device < count; ++device) EXPECT_TRUE(UseCudaDevice(device).ok());
  for (const int device : {-1, count}) {
    EXPECT_EQ(UseCudaDevice(device).code(), absl::StatusCode::kInvalidArgument) << device;
  }
}

TEST(CudaDevicesTest, IsChosenByName) {
  EXPECT_EQ(ChooseDevice("cpu", 0).value(), c10::Device(c10::kCPU));
  EXPECT_EQ(ChooseDevice("", 0).value().is_cuda(), CudaDeviceCount() > 0);
  const absl::Status unknown = ChooseDevice("gpu", 0).status();
  EXPECT_EQ(unknown.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("--device is 'gpu'"));
}

TEST(CudaDevicesTest, ASettingSaysHowADeviceComputes) {
  const c10::Device cuda(c10::kCUDA, 0);
  UseFasterArithmetic(/*tf32=*/true, /*trials=*/true);
  EXPECT_EQ(DeviceSetting(cuda), "cuda with tf32 and trials");
  EXPECT_EQ(DeviceSetting(c10::kCPU), "cpu");
  UseFasterArithmetic(/*tf32=*/true, /*trials=*/false);
  EXPECT_EQ(DeviceSetting(cuda), "cuda with tf32");
  UseFasterArithmetic(/*tf32=*/false, /*trials=*/false);
  EXPECT_EQ(DeviceSetting(cuda), "cuda");
}

TEST(CudaDevicesTest, CudaIsNotReplacedInSilence) {
  if (CudaDeviceCount() > 0) GTEST_SKIP() << "there is a device here";
  const absl::Status status = ChooseDevice("cuda", 0).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr(Remedy()));
}

}  // namespace
}  // namespace moco
