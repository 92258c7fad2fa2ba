// bfloat16 autocast for the encoders' forward passes, and whether the CPU has the instructions.
#ifndef MOCO_AUTOCAST_H_
#define MOCO_AUTOCAST_H_

#include <c10/core/DeviceType.h>

namespace moco {

// While a guard exists, this thread's convolutions and matrix products on that kind of device run
// in bfloat16. Weights stay float32; their casts are cached while the guard exists. Run backward
// passes outside of it.
class Bf16Autocast {
 public:
  explicit Bf16Autocast(c10::DeviceType device);
  ~Bf16Autocast();
  Bf16Autocast(const Bf16Autocast&) = delete;
  Bf16Autocast& operator=(const Bf16Autocast&) = delete;

 private:
  const c10::DeviceType device_;
};

// Returns whether the CPU has AVX512_BF16 or AMX, which make bfloat16 faster than float32.
bool CpuHasBf16();

}  // namespace moco

#endif  // MOCO_AUTOCAST_H_
