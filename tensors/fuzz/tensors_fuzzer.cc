// libFuzzer's entry point: tools/fuzz.sh.
#include <cstddef>
#include <cstdint>

#include "tensors/fuzz/read_everything.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tensors::ReadEverything({reinterpret_cast<const char*>(data), size});
  return 0;
}
