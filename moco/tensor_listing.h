// What is in a file of tensors, entry by entry.
#ifndef MOCO_TENSOR_LISTING_H_
#define MOCO_TENSOR_LISTING_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "moco/pickle.h"
#include "moco/tensor_file.h"

namespace moco {

// Calls `visit` with the name and the value of everything below `root` that contains nothing else,
// in the file's order. A name is made of keys and positions: "optimizer/state/0/momentum_buffer";
// that of `root` itself is empty.
void ForEachEntry(const pickle::Value& root,
                  const std::function<void(const std::string& name, const pickle::Value&)>& visit);

// CRC-32 of a tensor's elements in row-major order: zlib.crc32(tensor.numpy().tobytes()).
absl::StatusOr<uint32_t> Digest(TensorFile& file, const pickle::TensorInfo& tensor);

}  // namespace moco

#endif  // MOCO_TENSOR_LISTING_H_
