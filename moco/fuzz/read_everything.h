// What the fuzzer does with its bytes, and a test with the corpora and their mutations.
#ifndef MOCO_FUZZ_READ_EVERYTHING_H_
#define MOCO_FUZZ_READ_EVERYTHING_H_

#include "absl/strings/string_view.h"

namespace moco {

// Reads `bytes` as a file of tensors, and as a pickle, and every tensor in it. Returns whether
// either was accepted.
bool ReadEverything(absl::string_view bytes);

}  // namespace moco

#endif  // MOCO_FUZZ_READ_EVERYTHING_H_
