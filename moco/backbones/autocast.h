// bfloat16 autocast for the encoders' forward passes, and whether the machine computes in it.
#ifndef MOCO_BACKBONES_AUTOCAST_H_
#define MOCO_BACKBONES_AUTOCAST_H_

#include <c10/core/Device.h>

#include "absl/status/status.h"

namespace moco {

// While a guard that is `on` exists, this thread's convolutions and matrix products on that kind of
// device run in bfloat16. Weights stay float32; their casts are cached while the guard exists. Run
// backward passes outside of it.
class Bf16Autocast {
 public:
  explicit Bf16Autocast(c10::DeviceType device, bool on = true);
  ~Bf16Autocast();
  Bf16Autocast(const Bf16Autocast&) = delete;
  Bf16Autocast& operator=(const Bf16Autocast&) = delete;

 private:
  const c10::DeviceType device_;
  const bool on_;
};

// OK if bfloat16 is faster than float32 on `device`, for which a CPU needs AMX or a fast
// AVX512_BF16, or if the user has `forced` it with --force-bf16; otherwise InvalidArgument.
absl::Status CheckBf16(c10::Device device, bool forced);

}  // namespace moco

#endif  // MOCO_BACKBONES_AUTOCAST_H_
