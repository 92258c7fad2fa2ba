#include "tests/device/devices.h"

#include <ATen/Context.h>

#include <cstdlib>

#include "tests/device/fake_device.h"

namespace tests {
namespace {
int64_t (*wait_counter)() = nullptr;
}

c10::Device DeviceUnderTest() {
  const char* const named = std::getenv("MOCOPP_DEVICE");
  if (named == nullptr || *named == '\0') return kFakeDevice;
  c10::Device device(named);
  if (device.is_cuda()) {
    if (!device.has_index()) device.set_index(0);  // as tensors name it
    at::Context& context = at::globalContext();
    context.setAllowTF32CuBLAS(false);
    context.setAllowTF32CuDNN(false);
    context.setBenchmarkCuDNN(false);
    context.setDeterministicCuDNN(true);
  }
  return device;
}

std::vector<c10::Device> DevicesUnderTest() {
  const c10::Device device = DeviceUnderTest();
  if (device.type() == kFakeDevice.type()) return {at::kCPU, device};
  return {device};
}

std::string NameOf(c10::Device device) {
  return device.type() == kFakeDevice.type() ? "fake" : device.is_cuda() ? "cuda" : "cpu";
}

std::optional<int64_t> CountedWaits() {
  const bool counts = wait_counter != nullptr && DeviceUnderTest().type() == kFakeDevice.type();
  return counts ? std::optional(wait_counter()) : std::nullopt;
}

void CountWaitsBy(int64_t (*counter)()) { wait_counter = counter; }

}  // namespace tests
