// The CUDA devices of this machine, in builds with --config=cuda (docs/cuda.md).
#ifndef MOCO_TRAINING_CUDA_DEVICES_H_
#define MOCO_TRAINING_CUDA_DEVICES_H_

#include <c10/core/Device.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace moco {

// How many this process can use: those of the machine that $CUDA_VISIBLE_DEVICES leaves. 0 where
// there is no driver, and in a build without CUDA.
int CudaDeviceCount();

// Makes `device`, one of 0 to CudaDeviceCount() - 1, what at::kCUDA without a number means on the
// calling thread. InvalidArgument when there is no such device, or the build is without CUDA;
// Unavailable when the device is there but does not start.
absl::Status UseCudaDevice(int device);

// The device that --device names: "cpu", or "cuda", of which the process takes the one with that
// number; "" is cuda where there is a device, and else cpu. Its arithmetic is float32's own (no
// TF32) and repeatable: cuDNN takes algorithms that give the same bits each time, by rules and not
// by trying them out. InvalidArgument for another name; UseCudaDevice's errors.
absl::StatusOr<c10::Device> ChooseDevice(const std::string& name, int number);

}  // namespace moco

#endif  // MOCO_TRAINING_CUDA_DEVICES_H_
