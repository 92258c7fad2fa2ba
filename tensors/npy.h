// NumPy's .npy files, without LibTorch: the headers of arrays of any kind, and matrices of features
// (format 1.0: C order, little-endian), which are also written.
#ifndef TENSORS_NPY_H_
#define TENSORS_NPY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/files.h"

namespace tensors {

// The description of an array at the beginning of a file, in the formats 1.0 to 3.0.
struct NpyArray {
  // The type of a value as NumPy writes it: "<u2", "|u1", "|O" (Python objects); of records with
  // fields all of the text.
  std::string dtype;
  char kind = 0;      // 'u', 'i', 'f', 'b', 'U', 'S', 'O', ...; 0 for records
  int64_t width = 0;  // bytes of a value; 0 for records and Python objects
  bool big_endian = false;
  bool fortran_order = false;
  std::vector<int64_t> shape;
  int64_t offset = 0;  // position of the first value in the file

  int64_t count() const;     // of values
  std::string Text() const;  // "float32 of shape (10, 28, 28)"
};

// Returns the header of a file that begins with `bytes` and has `file_size`, after checking that
// the file contains the values that it describes, if their width is known. `path` is for errors:
// InvalidArgument unless it is a .npy file, DataLoss if it is shorter than its header says.
absl::StatusOr<NpyArray> ReadNpyArray(const std::string& path, absl::string_view bytes,
                                      int64_t file_size);

// The most bytes that the header of an array that is not of records has.
constexpr int64_t kMaxNpyHeader = 1 << 17;

enum class NpyType { kFloat16, kFloat32, kFloat64 };

// The description of the matrix at the beginning of a file.
struct NpyHeader {
  NpyType type = NpyType::kFloat32;
  int64_t rows = 0, columns = 0;
  int64_t offset = 0;  // position of the first value in the file

  int64_t width() const;  // bytes of a value
};

// Returns the header of a file with these `bytes`, after checking that they contain the values that
// it describes. `path` is for errors, which are those of NpyMatrix::Open.
absl::StatusOr<NpyHeader> ReadNpyHeader(const std::string& path, absl::string_view bytes);

// A matrix in a mapped file: rows that are not read take no memory.
class NpyMatrix {
 public:
  // InvalidArgument, naming the file, unless it is a .npy file (format 1.0 to 3.0) of a float16,
  // float32 or float64 matrix in C order; DataLoss if it is shorter than its header says; NotFound.
  static absl::StatusOr<NpyMatrix> Open(const std::string& path);

  int64_t rows() const { return header_.rows; }
  int64_t columns() const { return header_.columns; }  // at least 1
  const std::string& path() const { return path_; }

  // Writes rows `from` to `from` + `count` - 1 as float32, `count` x columns().
  void Read(int64_t from, int64_t count, float* out) const;

  // Tells the system that rows before `row` are no longer needed, so that a pass over a large file
  // takes the memory of only a part of it.
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

// Writes a matrix row by row. At any time the file on disk is a .npy file of the rows at the last
// Sync().
class NpyWriter {
 public:
  // Starts a new file, replacing an existing one, or with `rows` > 0 continues a file: everything
  // after that many rows is cut off. InvalidArgument if it has fewer rows, other columns or another
  // type. `type` is kFloat16 or kFloat32, `columns` at least 1.
  static absl::StatusOr<std::unique_ptr<NpyWriter>> Open(const std::string& path, NpyType type,
                                                         int64_t columns, int64_t rows);
  // `values`: `count` x columns. InvalidArgument, with nothing written, for a value outside the
  // range of float16.
  absl::Status Append(const float* values, int64_t count);
  // Makes the rows durable, and then the header that counts them.
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
  int64_t rows_;  // number of rows appended
};

}  // namespace tensors

#endif  // TENSORS_NPY_H_
