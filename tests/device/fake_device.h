// Fake devices. Their tensors are in the CPU's memory and the CPU computes with them, but they are
// as strict as GPUs:
//   - an operation on tensors of two devices is refused, except for single numbers on the CPU; only
//     copies move data between devices;
//   - their addresses are invalid, so that code which reads a tensor's memory directly ends with a
//     segmentation fault;
//   - each device computes gradients on its own thread;
//   - it is counted how often a GPU would have made the host wait (Waits).
// Code that gives the same results on fake devices as on the CPU therefore has put nothing on the
// wrong device. They cannot show how a GPU's kernels round, or that they run asynchronously.
//
// In each program that links this, they are LibTorch's PrivateUse1 devices.
#ifndef TESTS_DEVICE_FAKE_DEVICE_H_
#define TESTS_DEVICE_FAKE_DEVICE_H_

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>

namespace tests {

inline constexpr int kFakeDevices = 4;
inline c10::Device FakeDevice(int index) {
  return {c10::DeviceType::PrivateUse1, static_cast<c10::DeviceIndex>(index)};
}
inline const c10::Device kFakeDevice = FakeDevice(0);

// Returns how often something has waited until a device had computed all that it was given before:
// for a number or a copy that it reads; for a copy to the device, except a non-blocking one from
// pinned memory; for the result of an operation whose shape depends on the values.
int64_t Waits();

// Returns a CPU tensor on the memory of a device's tensor, for code that simulates a part of the
// device, such as its network.
at::Tensor OnCpu(const at::Tensor& tensor);

}  // namespace tests

#endif  // TESTS_DEVICE_FAKE_DEVICE_H_
