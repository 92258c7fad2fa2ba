// Devices that are none. Their tensors lie in the CPU's memory and the CPU computes with them, but
// they are as strict as GPUs:
//   - an operation whose tensors are on two devices is refused, but for single numbers of the CPU;
//     copies alone go from one to the other;
//   - their addresses lead nowhere, so that code which reads a tensor's memory by itself ends with
//   a
//     segmentation fault;
//   - gradients are computed on a thread of each device's own.
// So whoever computes with them what the CPU computes has put nothing on the wrong device. What it
// cannot show: how a GPU's kernels round, and that they may be late.
//
// They are LibTorch's PrivateUse1, in each program that links this.
#ifndef TESTS_DEVICE_FAKE_DEVICE_H_
#define TESTS_DEVICE_FAKE_DEVICE_H_

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

namespace tests {

inline constexpr int kFakeDevices = 4;
inline c10::Device FakeDevice(int index) {
  return {c10::DeviceType::PrivateUse1, static_cast<c10::DeviceIndex>(index)};
}
inline const c10::Device kFakeDevice = FakeDevice(0);

// The device's view of a tensor of its own: a tensor of the CPU on the same memory, for those that
// play a part of the device, such as its network.
at::Tensor OnCpu(const at::Tensor& tensor);

}  // namespace tests

#endif  // TESTS_DEVICE_FAKE_DEVICE_H_
