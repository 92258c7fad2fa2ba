// libFuzzer's entry point: tools/fuzz.sh.
#include <cstddef>
#include <cstdint>

#include "moco/fuzz/read_everything.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  moco::ReadEverything({reinterpret_cast<const char*>(data), size});
  return 0;
}
