#include "moco/to_device.h"

#include <ATen/Context.h>
#include <ATen/EmptyTensor.h>
#include <ATen/ops/empty.h>

namespace moco {

at::Tensor HostTensor(at::IntArrayRef sizes, at::ScalarType type, at::Device device) {
  if (device.is_cpu()) return at::empty(sizes, type);
  c10::Allocator* const pinned = at::globalContext().getPinnedMemoryAllocator(device.type());
  return at::Tensor(at::detail::empty_generic(
      sizes, pinned, c10::DispatchKeySet(c10::DispatchKey::CPU), type, std::nullopt));
}

at::Tensor ToDevice(const at::Tensor& host, at::Device device) {
  if (device.is_cpu()) return host;
  const at::Tensor pinned = HostTensor(host.sizes(), host.scalar_type(), device);
  pinned.copy_(host);
  // The memory is not used again before the device has read it, even if the tensor is freed now.
  return pinned.to(device, /*non_blocking=*/true);
}

}  // namespace moco
