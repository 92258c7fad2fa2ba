// bfloat16 for the encoders' passes: where the CPU has the instructions, and when.
#ifndef MOCO_AUTOCAST_H_
#define MOCO_AUTOCAST_H_

namespace moco {

// While one lives, this thread's convolutions and products run in bfloat16 (weights stay float32;
// their casts are kept for as long as the guard lives). Backward passes run outside.
class Bf16Autocast {
 public:
  Bf16Autocast();
  ~Bf16Autocast();
  Bf16Autocast(const Bf16Autocast&) = delete;
  Bf16Autocast& operator=(const Bf16Autocast&) = delete;
};

// Whether bfloat16 is faster than float32 here: the CPU has AVX512_BF16 or AMX.
bool CpuHasBf16();

}  // namespace moco

#endif  // MOCO_AUTOCAST_H_
