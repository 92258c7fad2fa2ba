// Used by the fuzzer, and by a test on the corpora and mutations of them.
#ifndef TENSORS_FUZZ_READ_EVERYTHING_H_
#define TENSORS_FUZZ_READ_EVERYTHING_H_

#include "absl/strings/string_view.h"

namespace tensors {

// Reads `bytes` as a file of tensors with every tensor in it, as a NumPy array, as a zip archive
// with every entry, and as a pickle. Returns whether any of these was accepted.
bool ReadEverything(absl::string_view bytes);

}  // namespace tensors

#endif  // TENSORS_FUZZ_READ_EVERYTHING_H_
