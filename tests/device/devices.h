// The devices that tests compare with the CPU.
#ifndef TESTS_DEVICE_DEVICES_H_
#define TESTS_DEVICE_DEVICES_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tests {

// Returns the device that the environment variable MOCOPP_DEVICE names ("cpu", "cuda", "cuda:1"),
// and without it the fake device, which the program then must link. A CUDA device computes as
// `pretrain` does by default: without TF32, with algorithms of cuDNN that repeat to the bit.
c10::Device DeviceUnderTest();

// Returns the CPU and the fake device, or what MOCOPP_DEVICE names.
std::vector<c10::Device> DevicesUnderTest();

// Returns how often something has waited for the device (tests/device/fake_device.h). Nothing if
// the program does not link the fake device, since a real one does not count it.
std::optional<int64_t> CountedWaits();
// Sets what counts them.
void CountWaitsBy(int64_t (*counter)());

// "cpu", "fake" or "cuda": for names of tests.
std::string NameOf(c10::Device device);

}  // namespace tests

#endif  // TESTS_DEVICE_DEVICES_H_
