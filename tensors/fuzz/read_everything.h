// What the fuzzer does with its bytes, and a test with the corpora and their mutations.
#ifndef TENSORS_FUZZ_READ_EVERYTHING_H_
#define TENSORS_FUZZ_READ_EVERYTHING_H_

#include "absl/strings/string_view.h"

namespace tensors {

// Reads `bytes` as a file of tensors with every tensor in it, as a matrix of NumPy's, and as a
// pickle. Returns whether any was accepted.
bool ReadEverything(absl::string_view bytes);

}  // namespace tensors

#endif  // TENSORS_FUZZ_READ_EVERYTHING_H_
