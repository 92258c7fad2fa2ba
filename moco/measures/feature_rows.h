// Rows of features in memory or in a file. Measures read them a block at a time, so that the rows
// of a file need not fit into memory.
#ifndef MOCO_MEASURES_FEATURE_ROWS_H_
#define MOCO_MEASURES_FEATURE_ROWS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

namespace moco {

struct FeatureRows {
  int64_t size = 0, columns = 0;

  // Writes rows index[0] to index[count - 1], each 0 to size - 1, as float32 to `out`: count x
  // columns. Safe to call from any thread.
  std::function<void(const int64_t* index, int64_t count, float* out)> read;

  // A hint that rows before `row` will not be read for a while, so that a file's pages need not
  // stay in memory. Null if the rows are in memory anyway.
  std::function<void(int64_t row)> release = nullptr;

  // Returns the rows `index` (n int64): n x columns.
  at::Tensor Rows(const at::Tensor& index) const;
  // Returns rows `from` to `from` + `count` - 1.
  at::Tensor Rows(int64_t from, int64_t count) const;
};

// Divides each row by its Euclidean length, or by 1e-12 if it is shorter.
//   x: N x D, floating. N x D.
at::Tensor UnitRows(const at::Tensor& x);

// Returns the rows of an N x D tensor of any floating type and device. It is copied only if it is
// not a contiguous float32 tensor in main memory.
FeatureRows InMemory(const at::Tensor& features);

struct LabelledRows {
  FeatureRows features;
  at::Tensor labels;  // size int64: the class of each row
};

// Returns rows `index` (n int64) of `rows`, in the order of `index`.
FeatureRows Some(const FeatureRows& rows, const at::Tensor& index);

}  // namespace moco

#endif  // MOCO_MEASURES_FEATURE_ROWS_H_
