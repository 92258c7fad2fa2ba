// A device that is none. Its tensors lie in the CPU's memory and the CPU computes with them, but it
// is as strict as a GPU:
//   - an operation whose tensors are on two devices is refused, but for single numbers of the CPU;
//     copies alone go from one to the other;
//   - its addresses lead nowhere, so that code which reads a tensor's memory by itself ends with a
//     segmentation fault;
//   - gradients are computed on a thread of the device's own.
// So whoever computes with it what the CPU computes has put nothing on the wrong device. What it
// cannot show: how a GPU's kernels round, and that they may be late.
//
// It is LibTorch's PrivateUse1, in each program that links this.
#ifndef TESTS_DEVICE_FAKE_DEVICE_H_
#define TESTS_DEVICE_FAKE_DEVICE_H_

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

namespace tests {

inline const c10::Device kFakeDevice(c10::DeviceType::PrivateUse1, 0);

// The device's view of a tensor of its own: a tensor of the CPU on the same memory, for those that
// play a part of the device, such as its network.
at::Tensor OnCpu(const at::Tensor& tensor);

}  // namespace tests

#endif  // TESTS_DEVICE_FAKE_DEVICE_H_
