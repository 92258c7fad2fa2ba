// The CUDA devices of this machine, in builds with --config=cuda (docs/cuda.md).
#ifndef MOCO_TRAINING_CUDA_DEVICES_H_
#define MOCO_TRAINING_CUDA_DEVICES_H_

#include <c10/core/Device.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace moco {

// Returns the number of devices that this process can use: those of the machine that
// $CUDA_VISIBLE_DEVICES allows. 0 if there is no driver, and in a build without CUDA.
int CudaDeviceCount();

// Makes `device`, 0 to CudaDeviceCount() - 1, the current device of the calling thread, to which
// at::kCUDA without a number refers. InvalidArgument if there is no such device or the build is
// without CUDA; Unavailable if the device exists but does not start.
absl::Status UseCudaDevice(int device);

// Returns the device that --device names: "cpu"; "cuda", the device with that number; or "", which
// is cuda if there is a device and otherwise cpu. Float32 arithmetic does not use TF32, and is
// reproducible: cuDNN uses deterministic algorithms, chosen by rules and not by trials.
// InvalidArgument for another name; the errors of UseCudaDevice.
absl::StatusOr<c10::Device> ChooseDevice(const std::string& name, int number);

}  // namespace moco

#endif  // MOCO_TRAINING_CUDA_DEVICES_H_
