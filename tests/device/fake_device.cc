#include "tests/device/fake_device.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/EmptyTensor.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/unfold_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/Allocator.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/device/devices.h"

namespace tests {
namespace {

// --- Memory ---

// No address of a process on x86-64 or AArch64 has this bit.
constexpr uintptr_t kFar = uintptr_t{1} << 62;

void* Far(void* near) {
  return near == nullptr ? near : reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(near) + kFar);
}

void* Near(void* far) {
  return far == nullptr ? far : reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(far) - kFar);
}

// The current device of each thread.
thread_local c10::DeviceIndex current = 0;

class FarMemory : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    const c10::Device device = FakeDevice(current);
    if (bytes == 0) return {nullptr, device};
    void* near = std::aligned_alloc(64, (bytes + 63) / 64 * 64);
    TORCH_CHECK(near != nullptr, "out of memory");
    return {Far(near), near, &std::free, device};
  }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    std::memcpy(Near(to), Near(const_cast<void*>(from)), bytes);
  }
};

FarMemory& Memory() {
  static FarMemory& memory = *new FarMemory;
  return memory;
}

// A tensor of `device` at `address`, which is `of`'s memory as that device sees it, and keeps it.
at::Tensor Alias(const at::Tensor& of, void* address, c10::Device device) {
  const c10::DispatchKey key =
      device.is_cpu() ? c10::DispatchKey::CPU : c10::DispatchKey::PrivateUse1;
  c10::DataPtr data(
      address, new c10::Storage(of.storage()),
      [](void* kept) { delete static_cast<c10::Storage*>(kept); }, device);
  c10::Storage storage(c10::Storage::use_byte_size_t(), of.storage().nbytes(), std::move(data),
                       c10::GetAllocator(device.type()), /*resizable=*/true);
  at::Tensor alias = at::detail::make_tensor<c10::TensorImpl>(std::move(storage),
                                                              c10::DispatchKeySet(key), of.dtype());
  alias.unsafeGetTensorImpl()->set_sizes_and_strides(of.sizes(), of.strides(), of.storage_offset());
  return alias;
}

// What the CPU has computed, as a tensor of `device`.
at::Tensor OnDevice(const at::Tensor& cpu, c10::Device device) {
  if (!cpu.defined()) return cpu;
  return Alias(cpu, Far(cpu.storage().mutable_data()), device);
}

at::Tensor Empty(at::IntArrayRef size, std::optional<at::ScalarType> type,
                 std::optional<at::Layout>, std::optional<at::Device> device, std::optional<bool>,
                 std::optional<at::MemoryFormat> format) {
  const c10::OptionalDeviceGuard guard(device);
  return at::detail::empty_generic(size, &Memory(),
                                   c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
                                   c10::dtype_or_default(type), format);
}

at::Tensor EmptyStrided(at::IntArrayRef size, at::IntArrayRef stride,
                        std::optional<at::ScalarType> type, std::optional<at::Layout>,
                        std::optional<at::Device> device, std::optional<bool>) {
  const c10::OptionalDeviceGuard guard(device);
  return at::detail::empty_strided_generic(size, stride, &Memory(),
                                           c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
                                           c10::dtype_or_default(type));
}

// --- Waits ---

std::atomic<int64_t> waits = 0;

// Memory of the CPU that is known by its address, as a driver knows pinned memory.
class PinnedMemory : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    const size_t rounded = std::max<size_t>(64, (bytes + 63) / 64 * 64);
    void* memory = std::aligned_alloc(64, rounded);
    TORCH_CHECK(memory != nullptr, "out of memory");
    const std::lock_guard<std::mutex> lock(mutex_);
    blocks_[reinterpret_cast<uintptr_t>(memory)] = rounded;
    return {memory, memory, &Free, c10::Device(c10::kCPU)};
  }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    std::memcpy(to, from, bytes);
  }
  bool Has(const void* address) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto at = reinterpret_cast<uintptr_t>(address);
    const auto after = blocks_.upper_bound(at);
    if (after == blocks_.begin()) return false;
    const auto& [begin, bytes] = *std::prev(after);
    return at < begin + bytes;
  }
  static PinnedMemory& Instance() {
    static PinnedMemory& memory = *new PinnedMemory;
    return memory;
  }

 private:
  static void Free(void* memory) {
    {
      const std::lock_guard<std::mutex> lock(Instance().mutex_);
      Instance().blocks_.erase(reinterpret_cast<uintptr_t>(memory));
    }
    std::free(memory);
  }

  std::mutex mutex_;
  std::map<uintptr_t, size_t> blocks_;
};

// Whether CUDA's kernel of an operation asks the device for the shape of its result, or for a
// number that is not a tensor.
bool WaitsItself(const std::string& operation) {
  static const std::set<std::string>& names = *new std::set<std::string>{
      "aten::bincount",          "aten::equal",      "aten::masked_select",
      "aten::nonzero",           "aten::_unique",    "aten::_unique2",
      "aten::repeat_interleave", "aten::unique_dim", "aten::is_nonzero",
      "aten::unique_consecutive"};
  return names.count(operation) > 0;
}

at::Tensor Copy(const at::Tensor& from, const at::Tensor& to, bool non_blocking) {
  const at::Tensor& host = from.is_cpu() ? from : to;
  if (host.is_cpu() && !(non_blocking && PinnedMemory::Instance().Has(host.const_data_ptr()))) {
    ++waits;
  }
  OnCpu(to).copy_(OnCpu(from));
  return to;
}

at::Scalar Number(const at::Tensor& tensor) {
  ++waits;
  return OnCpu(tensor).item();
}

// That a parameter's data may be moved here, as to any device that LibTorch knows.
bool DataFits(const at::Tensor&, const at::Tensor&) { return true; }

// --- Operations ---

class Translation {
 public:
  explicit Translation(const c10::OperatorHandle& op) : op_(op) {}

  at::Tensor ToCpu(const at::Tensor& tensor, bool in_list) {
    if (!tensor.defined()) return tensor;
    if (tensor.is_cpu()) {
      TORCH_CHECK(tensor.dim() == 0 && !in_list, op_.schema().name(),
                  ": expected all tensors to be on the same device, but found at least two, ",
                  FakeDevice(current), " and cpu");
      // CUDA's kernels get the number as an argument; this one copies it to the device.
      if (op_.schema().name() == "aten::where") ++waits;
      return tensor;
    }
    TORCH_CHECK(given_.empty() || device() == tensor.device(), op_.schema().name(),
                ": expected all tensors to be on the same device, but found at least two, ",
                device(), " and ", tensor.device());
    given_.emplace_back(tensor, OnCpu(tensor));
    return given_.back().second;
  }

  c10::IValue ToCpu(const c10::IValue& value) {
    if (value.isTensor()) return ToCpu(value.toTensor(), /*in_list=*/false);
    if (value.isDevice()) return c10::Device(c10::kCPU);
    if (value.isTensorList()) {
      c10::List<at::Tensor> list;
      for (const at::Tensor& tensor : value.toTensorVector()) list.push_back(ToCpu(tensor, true));
      return list;
    }
    if (value.isOptionalTensorList()) {
      c10::List<std::optional<at::Tensor>> list;
      for (const std::optional<at::Tensor>& tensor : value.toOptionalTensorVector()) {
        list.push_back(tensor ? std::optional(ToCpu(*tensor, true)) : std::nullopt);
      }
      return list;
    }
    return value;
  }

  // Results are new tensors, unless they were given to be written to.
  c10::IValue ToDevice(const c10::IValue& value) const {
    if (value.isTensor()) return ToDevice(value.toTensor());
    if (value.isTensorList()) {
      c10::List<at::Tensor> list;
      for (const at::Tensor& tensor : value.toTensorVector()) list.push_back(ToDevice(tensor));
      return list;
    }
    return value;
  }

  // Some kernels allocate what they write to.
  void AdoptAllocated() const {
    for (const auto& [device, cpu] : given_) {
      if (cpu.storage().data() == Near(device.storage().mutable_data())) continue;
      device.unsafeGetTensorImpl()->set_storage_keep_dtype(
          OnDevice(cpu, device.device()).storage());
      device.unsafeGetTensorImpl()->set_sizes_and_strides(cpu.sizes(), cpu.strides());
    }
  }

 private:
  at::Tensor ToDevice(const at::Tensor& cpu) const {
    for (const auto& [device, given] : given_) {
      if (cpu.is_same(given)) return device;
    }
    return OnDevice(cpu, device());
  }

  c10::Device device() const {
    return given_.empty() ? FakeDevice(current) : given_.front().first.device();
  }

  const c10::OperatorHandle& op_;
  std::vector<std::pair<at::Tensor, at::Tensor>> given_;  // of the device, and of the CPU
};

// Every operation that is not a kernel of its own below.
void ComputeOnCpu(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const at::AutoDispatchBelowADInplaceOrView below_autograd;
  const c10::FunctionSchema& schema = op.schema();
  for (const c10::Argument& result : schema.returns()) {
    TORCH_CHECK(result.alias_info() == nullptr || result.alias_info()->isWrite(), schema.name(),
                " makes a view; register it, so that the view is the device's");
  }
  if (WaitsItself(schema.name())) ++waits;
  Translation translation(op);
  const auto arguments = stack->end() - static_cast<int64_t>(schema.arguments().size());
  for (auto argument = arguments; argument != stack->end(); ++argument) {
    *argument = translation.ToCpu(*argument);
  }
  op.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), stack);
  translation.AdoptAllocated();
  const auto results = stack->end() - static_cast<int64_t>(schema.returns().size());
  for (auto result = results; result != stack->end(); ++result) {
    *result = translation.ToDevice(*result);
  }
}

// Of convolutions the autograd formulas ask the device itself, and not by the fallback.
at::Tensor Convolution(const at::Tensor& input, const at::Tensor& weight,
                       const std::optional<at::Tensor>& bias, at::IntArrayRef stride,
                       at::IntArrayRef padding, at::IntArrayRef dilation, bool transposed,
                       at::IntArrayRef output_padding, int64_t groups) {
  std::optional<at::Tensor> b;
  if (bias && bias->defined()) b = OnCpu(*bias);
  return OnDevice(at::convolution(OnCpu(input), OnCpu(weight), b, stride, padding, dilation,
                                  transposed, output_padding, groups),
                  input.device());
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> ConvolutionBackward(
    const at::Tensor& gradient, const at::Tensor& input, const at::Tensor& weight,
    at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation, bool transposed,
    at::IntArrayRef output_padding, int64_t groups, std::array<bool, 3> wanted) {
  const int64_t channels = gradient.size(1);
  const auto [of_input, of_weight, of_bias] = at::convolution_backward(
      OnCpu(gradient), OnCpu(input), OnCpu(weight), at::OptionalIntArrayRef({channels}), stride,
      padding, dilation, transposed, output_padding, groups, wanted);
  const c10::Device device = input.device();
  return {OnDevice(of_input, device), OnDevice(of_weight, device), OnDevice(of_bias, device)};
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&ComputeOnCpu>());
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, library) {
  library.impl("empty.memory_format", &Empty);
  library.impl("empty_strided", &EmptyStrided);
  library.impl("_copy_from", &Copy);
  library.impl("_local_scalar_dense", &Number);
  library.impl("_has_compatible_shallow_copy_type", &DataFits);
  library.impl("as_strided", &at::native::as_strided_tensorimpl);
  library.impl("view", &at::native::view);
  library.impl("_reshape_alias", &at::native::_reshape_alias);
  library.impl("unfold", &at::native::unfold);
  library.impl("convolution_overrideable", &Convolution);
  library.impl("convolution_backward_overrideable", &ConvolutionBackward);
}

// --- The devices, each with one stream, in which everything is done at once ---

struct Guard : c10::impl::NoOpDeviceGuardImpl<c10::DeviceType::PrivateUse1> {
  c10::Device exchangeDevice(c10::Device device) const override {
    return FakeDevice(std::exchange(current, device.index()));
  }
  c10::Device getDevice() const override { return FakeDevice(current); }
  void setDevice(c10::Device device) const override { current = device.index(); }
  void uncheckedSetDevice(c10::Device device) const noexcept override { current = device.index(); }
  c10::DeviceIndex deviceCount() const noexcept override { return kFakeDevices; }
  c10::Stream getStream(c10::Device device) const noexcept override {
    return c10::Stream(c10::Stream::DEFAULT, device);
  }
  c10::Stream getNewStream(c10::Device device, int) const override { return getStream(device); }
  c10::Stream exchangeStream(c10::Stream stream) const noexcept override { return stream; }
  void record(void**, const c10::Stream&, const c10::DeviceIndex,
              const c10::EventFlag) const override {}
  void block(void*, const c10::Stream&) const override {}
  bool queryEvent(void*) const override { return true; }
  void destroyEvent(void*, const c10::DeviceIndex) const noexcept override {}
};

C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard);
REGISTER_ALLOCATOR(c10::kPrivateUse1, &Memory());

// By which LibTorch knows it for an accelerator.
struct Hooks : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return kFakeDevices; }
  c10::Allocator* getPinnedMemoryAllocator() const override { return &PinnedMemory::Instance(); }
  bool isPinnedPtr(const void* data) const override { return PinnedMemory::Instance().Has(data); }
  const at::Generator& getDefaultGenerator(c10::DeviceIndex) const override {
    static const at::Generator& generator = *new at::Generator(at::detail::createCPUGenerator());
    return generator;
  }
};

const bool registered = [] {
  c10::register_privateuse1_backend("fake");
  at::RegisterPrivateUse1HooksInterface(new Hooks);
  CountWaitsBy(&Waits);
  return true;
}();

}  // namespace

int64_t Waits() { return waits; }

at::Tensor OnCpu(const at::Tensor& tensor) {
  if (!tensor.defined() || tensor.is_cpu()) return tensor;
  return Alias(tensor, Near(tensor.storage().mutable_data()), c10::kCPU);
}

}  // namespace tests
