// The CUDA devices of this machine, in builds with --config=cuda (docs/cuda.md).
#ifndef MOCO_CUDA_DEVICES_H_
#define MOCO_CUDA_DEVICES_H_

#include "absl/status/status.h"

namespace moco {

// How many this process can use: those of the machine that $CUDA_VISIBLE_DEVICES leaves. 0 where
// there is no driver, and in a build without CUDA.
int CudaDeviceCount();

// Makes `device`, one of 0 to CudaDeviceCount() - 1, what at::kCUDA without a number means on the
// calling thread. InvalidArgument when there is no such device, or the build is without CUDA;
// Unavailable when the device is there but does not start.
absl::Status UseCudaDevice(int device);

}  // namespace moco

#endif  // MOCO_CUDA_DEVICES_H_
