// Matrices in NumPy's .npy files (format 1.0: C order, little-endian), without LibTorch.
#ifndef TENSORS_NPY_H_
#define TENSORS_NPY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/files.h"

namespace tensors {

enum class NpyType { kFloat16, kFloat32, kFloat64 };

// What a file says of its matrix before the values.
struct NpyHeader {
  NpyType type = NpyType::kFloat32;
  int64_t rows = 0, columns = 0;
  int64_t offset = 0;  // of the first value in the file

  int64_t width() const;  // bytes of a value
};

// The header of the file whose `bytes` these are, `path` being its name in errors. The values it
// speaks of are in `bytes`; errors are NpyMatrix::Open's.
absl::StatusOr<NpyHeader> ReadNpyHeader(const std::string& path, absl::string_view bytes);

// A matrix in a file, mapped: of what is not read nothing is in memory.
class NpyMatrix {
 public:
  // InvalidArgument, naming the file, for what is no .npy file (format 1.0 to 3.0) of two
  // dimensions of float16, float32 or float64 in C order; DataLoss when it is shorter than its
  // header says; NotFound.
  static absl::StatusOr<NpyMatrix> Open(const std::string& path);

  int64_t rows() const { return header_.rows; }
  int64_t columns() const { return header_.columns; }  // at least 1
  const std::string& path() const { return path_; }

  // Rows `from` to `from` + `count` - 1 as float32, `count` x columns().
  void Read(int64_t from, int64_t count, float* out) const;

  // Tells the system that rows before `row` are not needed any more, so that a pass over a large
  // file keeps the memory of a part of it.
  void Release(int64_t row) const;

 private:
  NpyMatrix(std::string path, base::MappedFile file, const NpyHeader& header)
      : path_(std::move(path)),
        file_(std::make_shared<base::MappedFile>(std::move(file))),
        header_(header) {}

  std::string path_;
  std::shared_ptr<const base::MappedFile> file_;
  NpyHeader header_;
};

// Writes a matrix row after row. What is on the disk is at all times a .npy file of the rows of the
// last Sync().
class NpyWriter {
 public:
  // A new file, also where there is one; or, with `rows` > 0, one that was begun: what it has after
  // that many rows is cut off. InvalidArgument when it has fewer, or other columns or another type.
  // `type` is kFloat16 or kFloat32, `columns` at least 1.
  static absl::StatusOr<std::unique_ptr<NpyWriter>> Open(const std::string& path, NpyType type,
                                                         int64_t columns, int64_t rows);
  // `values`: `count` x columns. InvalidArgument, with nothing written, for a value beyond
  // float16's range.
  absl::Status Append(const float* values, int64_t count);
  // Durable: rows, then the header that counts them.
  absl::Status Sync();

  int64_t rows() const { return rows_; }

 private:
  NpyWriter(std::string path, base::GrowingFile file, NpyType type, int64_t columns, int64_t rows)
      : path_(std::move(path)),
        file_(std::move(file)),
        type_(type),
        columns_(columns),
        rows_(rows) {}

  const std::string path_;
  base::GrowingFile file_;
  const NpyType type_;
  const int64_t columns_;
  int64_t rows_;  // appended
};

}  // namespace tensors

#endif  // TENSORS_NPY_H_
