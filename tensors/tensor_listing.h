// Lists the contents of a file of tensors.
#ifndef TENSORS_TENSOR_LISTING_H_
#define TENSORS_TENSOR_LISTING_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tensors/pickle.h"
#include "tensors/tensor_file.h"

namespace tensors {

// Calls `visit` with the name and the value of every tensor, plain value, list of plain values and
// empty container below `root`, in the file's order. A name is made of keys and positions:
// "optimizer/state/0/momentum_buffer"; that of `root` itself is empty.
void ForEachEntry(const pickle::Value& root,
                  const std::function<void(const std::string& name, const pickle::Value&)>& visit);

// Returns text from a file, which may contain anything, for one line on a terminal: unprintable
// characters become \x1b.
std::string Printable(absl::string_view text);

// Returns the CRC-32 of a tensor's elements in row-major order:
// zlib.crc32(tensor.numpy().tobytes()).
absl::StatusOr<uint32_t> Digest(TensorFile& file, const pickle::TensorInfo& tensor);

}  // namespace tensors

#endif  // TENSORS_TENSOR_LISTING_H_
