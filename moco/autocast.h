// bfloat16 for the encoders' passes: where the CPU has the instructions, and when.
#ifndef MOCO_AUTOCAST_H_
#define MOCO_AUTOCAST_H_

#include <c10/core/DeviceType.h>

namespace moco {

// While one lives, this thread's convolutions and products on that kind of device run in bfloat16
// (weights stay float32; their casts are kept for as long as the guard lives). Backward passes run
// outside.
class Bf16Autocast {
 public:
  explicit Bf16Autocast(c10::DeviceType device);
  ~Bf16Autocast();
  Bf16Autocast(const Bf16Autocast&) = delete;
  Bf16Autocast& operator=(const Bf16Autocast&) = delete;

 private:
  const c10::DeviceType device_;
};

// Whether bfloat16 is faster than float32 here: the CPU has AVX512_BF16 or AMX.
bool CpuHasBf16();

}  // namespace moco

#endif  // MOCO_AUTOCAST_H_
