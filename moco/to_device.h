// Copies to a device that do not wait for what the device is computing.
#ifndef MOCO_TO_DEVICE_H_
#define MOCO_TO_DEVICE_H_

#include <ATen/core/Tensor.h>

namespace moco {

// Returns an uninitialised, contiguous tensor of the CPU whose memory `device` can copy from at any
// time (pinned memory). For the CPU itself it is ordinary memory.
at::Tensor HostTensor(at::IntArrayRef sizes, at::ScalarType type, at::Device device);

// Returns a copy of `host`, a small tensor of the CPU such as an order, on `device`; for the CPU,
// `host` itself. A copy from ordinary memory would wait until the device has finished all that it
// was given before.
at::Tensor ToDevice(const at::Tensor& host, at::Device device);

}  // namespace moco

#endif  // MOCO_TO_DEVICE_H_
