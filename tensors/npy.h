// Matrices in NumPy's .npy files (format 1.0: C order, little-endian), without LibTorch.
#ifndef TENSORS_NPY_H_
#define TENSORS_NPY_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tensors {

enum class NpyType { kFloat16, kFloat32 };

// A matrix in a file, mapped: of what is not read nothing is in memory.
class NpyMatrix {
 public:
  // InvalidArgument or DataLoss, naming the file, for what is no .npy file of two dimensions of
  // float16, float32 or float64 in C order, or is shorter than its header says; NotFound.
  static absl::StatusOr<NpyMatrix> Open(const std::string& path);

  int64_t rows() const;
  int64_t columns() const;
  const std::string& path() const;

  // Rows `from` to `from` + `count` - 1 as float32, `count` x columns().
  void Read(int64_t from, int64_t count, float* out) const;

  // Tells the system that rows before `row` are not needed any more, so that a pass over a large
  // file keeps the memory of a part of it.
  void Release(int64_t row) const;
};

// Writes a matrix row after row. What is on the disk is at all times a .npy file of the rows of the
// last Sync().
class NpyWriter {
 public:
  // A new file; or, with `rows` > 0, one that was begun: what it has after that many rows is cut
  // off. InvalidArgument when it has fewer, or other columns or another type.
  static absl::StatusOr<std::unique_ptr<NpyWriter>> Open(const std::string& path, NpyType type,
                                                         int64_t columns, int64_t rows);
  // `count` x columns.
  absl::Status Append(const float* values, int64_t count);
  // Durable: rows, then the header that counts them.
  absl::Status Sync();
};

}  // namespace tensors

#endif  // TENSORS_NPY_H_
