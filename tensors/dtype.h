// The element types of tensors in files, with their names in all formats. Does not use LibTorch.
#ifndef TENSORS_DTYPE_H_
#define TENSORS_DTYPE_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace tensors {

struct DType {
  const char* name;         // name in PyTorch
  const char* storage;      // name of the storage class in pickles
  const char* safetensors;  // name in safetensors
  const char* numpy;        // name of the array type; empty if there is none
  int64_t width;            // bytes
};

inline constexpr DType kDTypes[] = {
    {"float32", "FloatStorage", "F32", "f4", 4}, {"float64", "DoubleStorage", "F64", "f8", 8},
    {"float16", "HalfStorage", "F16", "f2", 2},  {"bfloat16", "BFloat16Storage", "BF16", "", 2},
    {"int64", "LongStorage", "I64", "i8", 8},    {"int32", "IntStorage", "I32", "i4", 4},
    {"int16", "ShortStorage", "I16", "i2", 2},   {"int8", "CharStorage", "I8", "i1", 1},
    {"uint8", "ByteStorage", "U8", "u1", 1},     {"bool", "BoolStorage", "BOOL", "b1", 1}};

// Returns the dtype whose `field` has this value (not empty); null if there is none.
inline const DType* FindDType(const char* DType::*field, absl::string_view value) {
  for (const DType& dtype : kDTypes) {
    if (!value.empty() && value == dtype.*field) return &dtype;
  }
  return nullptr;
}

}  // namespace tensors

#endif  // TENSORS_DTYPE_H_
