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

// Makes CUDA devices faster than ChooseDevice() leaves them, at a price.
//
// - tf32: products and convolutions of float32 round their factors to 11 significant bits instead
//   of 24. Runs still repeat to the bit.
// - trials: cuDNN tries several algorithms for each new shape and keeps the fastest. The choice and
//   the algorithms may differ from run to run, and so do the last bits.
void UseFasterArithmetic(bool tf32, bool trials);

// Returns the kind of `device` and how it computes, as the setting of a run: "cpu", "cuda", "cuda
// with tf32", "cuda with tf32 and trials".
std::string DeviceSetting(c10::Device device);

}  // namespace moco

#endif  // MOCO_TRAINING_CUDA_DEVICES_H_
