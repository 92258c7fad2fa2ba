#include "moco/backbones/autocast.h"

#include <ATen/autocast_mode.h>
#include <cpuid.h>

namespace moco {

Bf16Autocast::Bf16Autocast(c10::DeviceType device, bool on) : device_(device), on_(on) {
  if (!on_) return;
  at::autocast::set_autocast_dtype(device, at::kBFloat16);
  at::autocast::set_autocast_enabled(device, true);
  at::autocast::increment_nesting();
}

Bf16Autocast::~Bf16Autocast() {
  if (!on_) return;
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(device_, false);
}

namespace {

// Whether this CPU computes faster in bfloat16 than in float32: with AMX, or with AVX512_BF16.
// Intel's with AVX512_FP16, which are those that also have AMX, are slower by AVX512_BF16 alone,
// where a virtual machine hides AMX ("Where bf16 is slower" in benchmarks/README.md).
bool CpuIsFasterInBf16() {
  // CPUID leaf 0 has the vendor. In leaf 7, AMX-BF16 and AVX512_FP16 are EDX bits 22 and 23 of
  // subleaf 0, AVX512_BF16 is EAX bit 5 of subleaf 1.
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(0, &a, &b, &c, &d)) return false;
  const bool intel = b == signature_INTEL_ebx && c == signature_INTEL_ecx;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  const bool amx = d >> 22 & 1, avx512_fp16 = d >> 23 & 1;
  const bool avx512_bf16 = __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 5 & 1);
  return amx || (avx512_bf16 && !(intel && avx512_fp16));
}

}  // namespace

absl::Status CheckBf16(c10::Device device, bool forced) {
  if (!device.is_cpu() || forced || CpuIsFasterInBf16()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "--precision=bf16 is slower than fp32 on this CPU, which has neither AMX nor a fast "
      "AVX512_BF16; use fp32, or add --force-bf16");
}

}  // namespace moco
