// Every operation of a training step and of the evaluation, with shapes, arithmetic and bounds: one
// list for the CPU in each arithmetic, for the fake device, and for a real one. A new operation
// needs a line here, and is then compared with the CPU's float64 on every device.
#ifndef TESTS_DEVICE_OPERATIONS_H_
#define TESTS_DEVICE_OPERATIONS_H_

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <functional>
#include <string>
#include <vector>

namespace tests {

// The arithmetics of --precision.
enum class Precision { kFp64, kFp32, kBf16 };
inline constexpr Precision kPrecisions[] = {Precision::kFp64, Precision::kFp32, Precision::kBf16};
std::string NameOf(Precision precision);  // "fp64", "fp32" or "bf16", as --precision has it

// Where and how an operation is computed.
struct Place {
  c10::Device device;
  Precision precision;

  // The type of weights and activations, which bf16 computes with under autocast.
  at::ScalarType dtype() const { return precision == Precision::kFp64 ? at::kDouble : at::kFloat; }
};

struct Operation {
  std::string name;  // letters, digits and underscores

  // Computes the operation, and its backward pass if it has one. The inputs are the same numbers
  // for every place (those that float32 can hold). Returns the results, gradients and changed state
  // included, on the device.
  std::function<std::vector<at::Tensor>(const Place& place)> compute;

  // The largest ||result - expected|| / ||expected||, over the results, where `expected` is
  // computed by the CPU in float64.
  double fp32 = 1e-5;
  // 0: not compared, since the step computes this in float32 under --precision=bf16, too, or since
  // the errors of fifty layers add up to as much as the result.
  double bf16 = 0;

  double Bound(Precision precision) const {
    return precision == Precision::kFp64 ? 1e-11 : precision == Precision::kFp32 ? fp32 : bf16;
  }
};

const std::vector<Operation>& Operations();

}  // namespace tests

#endif  // TESTS_DEVICE_OPERATIONS_H_
