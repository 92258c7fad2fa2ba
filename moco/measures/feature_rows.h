// Rows of features, wherever they lie: what measures them takes a block at a time, so that those of
// a file need not fit into memory.
#ifndef MOCO_MEASURES_FEATURE_ROWS_H_
#define MOCO_MEASURES_FEATURE_ROWS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

namespace moco {

struct FeatureRows {
  int64_t size = 0, columns = 0;

  // Rows index[0] to index[count - 1], each 0 to size - 1, as float32: count x columns. From any
  // thread.
  std::function<void(const int64_t* index, int64_t count, float* out)> read;

  // Tells that rows before `row` are not wanted for a while: what is in a file need not stay in
  // memory. Null where that is of no use.
  std::function<void(int64_t row)> release = nullptr;

  // The rows of `index` (n int64): n x columns.
  at::Tensor Rows(const at::Tensor& index) const;
  // Rows `from` to `from` + `count` - 1.
  at::Tensor Rows(int64_t from, int64_t count) const;
};

// Those of N x D, of any floating type and place, which are copied only where they are not float32
// in order.
FeatureRows InMemory(const at::Tensor& features);

struct LabelledRows {
  FeatureRows features;
  at::Tensor labels;  // of each row, int64: a class's number
};

// Rows `index` (n int64) of `rows`, in their order.
FeatureRows Some(const FeatureRows& rows, const at::Tensor& index);

}  // namespace moco

#endif  // MOCO_MEASURES_FEATURE_ROWS_H_
