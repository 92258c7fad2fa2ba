// In a build without CUDA.
#include "moco/cuda_devices.h"

namespace moco {

int CudaDeviceCount() { return 0; }

absl::Status UseCudaDevice(int device) {
  return absl::InvalidArgumentError(
      "this program was built without CUDA: build it with --config=cuda, or compute on the CPU");
}

}  // namespace moco
