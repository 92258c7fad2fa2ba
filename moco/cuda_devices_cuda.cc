// In a build with CUDA.
#include <c10/cuda/CUDAFunctions.h>
#include <c10/util/Exception.h>

#include "absl/strings/str_cat.h"
#include "moco/cuda_devices.h"

namespace moco {

int CudaDeviceCount() { return c10::cuda::device_count(); }

absl::Status UseCudaDevice(int device) {
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
    c10::cuda::set_device(static_cast<c10::DeviceIndex>(device));
  } catch (const c10::Error& error) {
    return absl::UnavailableError(absl::StrCat("CUDA device ", device,
                                               " does not start: ", error.what_without_backtrace(),
                                               "; see what nvidia-smi says, or take another"));
  }
  return absl::OkStatus();
}

}  // namespace moco
