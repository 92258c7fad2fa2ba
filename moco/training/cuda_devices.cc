#include "moco/training/cuda_devices.h"

#include <ATen/Context.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <c10/util/Exception.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

// If LibTorch's CUDA part is linked, it registers itself for these calls, so that this file is
// compiled in the same way in every build.
namespace moco {

int CudaDeviceCount() {
  if (!c10::impl::hasDeviceGuardImpl(c10::kCUDA)) return 0;
  return c10::impl::getDeviceGuardImpl(c10::kCUDA)->deviceCount();
}

absl::Status UseCudaDevice(int device) {
  if (!c10::impl::hasDeviceGuardImpl(c10::kCUDA)) {
    return absl::InvalidArgumentError(
        "this program was built without CUDA: build it with --config=cuda, or give --device=cpu");
  }
  const int count = CudaDeviceCount();
  if (count == 0) {
    return absl::InvalidArgumentError(
        "no usable CUDA device: check nvidia-smi and $CUDA_VISIBLE_DEVICES, or give --device=cpu");
  }
  if (device < 0 || device >= count) {
    return absl::InvalidArgumentError(absl::StrCat("there is no CUDA device ", device,
                                                   ": this process can use 0 to ", count - 1,
                                                   " (see nvidia-smi and $CUDA_VISIBLE_DEVICES)"));
  }
  try {
    c10::impl::getDeviceGuardImpl(c10::kCUDA)
        ->setDevice(c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(device)));
  } catch (const c10::Error& error) {
    return absl::UnavailableError(
        absl::StrCat("CUDA device ", device, " does not start: ", error.what_without_backtrace(),
                     "; see what nvidia-smi reports, or choose another with --gpu"));
  }
  return absl::OkStatus();
}

absl::StatusOr<c10::Device> ChooseDevice(const std::string& name, int number) {
  if (name != "" && name != "cpu" && name != "cuda") {
    return absl::InvalidArgumentError(
        absl::StrCat("--device is '", name, "', must be cpu or cuda; leave it out for cuda where ",
                     "there is a device, and cpu elsewhere"));
  }
  if (name == "cpu" || (name.empty() && CudaDeviceCount() == 0)) return c10::Device(c10::kCPU);
  if (absl::Status s = UseCudaDevice(number); !s.ok()) return s;
  UseFasterArithmetic(/*tf32=*/false, /*trials=*/false);
  return c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(number));
}

void UseFasterArithmetic(bool tf32, bool trials) {
  at::Context& context = at::globalContext();
  context.setAllowTF32CuBLAS(tf32);
  context.setAllowTF32CuDNN(tf32);
  context.setBenchmarkCuDNN(trials);
  context.setDeterministicCuDNN(!trials);
}

std::string DeviceSetting(c10::Device device) {
  const std::string kind = c10::DeviceTypeName(device.type(), /*lower_case=*/true);
  if (!device.is_cuda()) return kind;
  const at::Context& context = at::globalContext();
  std::vector<std::string> with;
  if (context.allowTF32CuBLAS()) with.push_back("tf32");
  if (context.benchmarkCuDNN()) with.push_back("trials");
  return absl::StrCat(kind, with.empty() ? "" : " with ", absl::StrJoin(with, " and "));
}

}  // namespace moco
