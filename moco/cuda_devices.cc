#include "moco/cuda_devices.h"

#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <c10/util/Exception.h>

#include "absl/strings/str_cat.h"

// LibTorch's CUDA part, when it is linked, registers itself for these calls, so that this is
// compiled alike in every build.
namespace moco {

int CudaDeviceCount() {
  if (!c10::impl::hasDeviceGuardImpl(c10::kCUDA)) return 0;
  return c10::impl::getDeviceGuardImpl(c10::kCUDA)->deviceCount();
}

absl::Status UseCudaDevice(int device) {
  if (!c10::impl::hasDeviceGuardImpl(c10::kCUDA)) {
    return absl::InvalidArgumentError(
        "this program was built without CUDA: build it with --config=cuda, or compute on the CPU");
  }
  const int count = CudaDeviceCount();
  if (count == 0) {
    return absl::InvalidArgumentError(
        "no CUDA device can be used here: see what nvidia-smi and $CUDA_VISIBLE_DEVICES say, or "
        "compute on the CPU");
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
    return absl::UnavailableError(absl::StrCat("CUDA device ", device,
                                               " does not start: ", error.what_without_backtrace(),
                                               "; see what nvidia-smi says, or take another"));
  }
  return absl::OkStatus();
}

}  // namespace moco
