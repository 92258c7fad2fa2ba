// Images of one size, as they lie in memory, one record after the other: what CIFAR, STL-10 and IDX
// files have in common.
#ifndef DATA_FORMATS_RECORDS_H_
#define DATA_FORMATS_RECORDS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/files.h"
#include "data/dataset.h"

namespace data {

// The bytes of a file, mapped, or unpacked into memory where only `path`.gz is there.
class Bytes {
 public:
  // NotFound names `path`; DataLoss a .gz that is damaged.
  static absl::StatusOr<Bytes> Read(const std::string& path);

  const std::string& path() const { return path_; }  // of the file that was read
  absl::string_view get() const { return mapped_ ? mapped_->bytes() : *unpacked_; }

 private:
  std::string path_;
  std::optional<base::MappedFile> mapped_;
  std::unique_ptr<std::string> unpacked_;
};

// Whether the file or its .gz is in the folder.
bool HasBytes(const Place& place, absl::string_view file);

// How a record holds an image.
struct RecordShape {
  int rows, cols;
  int planes;               // 1: grey, 3: red, green, blue
  int64_t before = 0;       // bytes of a record before its pixels
  bool by_columns = false;  // a plane's columns follow each other, not its rows
  int64_t header = 0;       // bytes of a file before its first record

  int64_t size() const { return before + int64_t{1} * rows * cols * planes; }
};

// How many records of `shape` there are in the file, at least 1. DataLoss when they do not fill it.
absl::StatusOr<int64_t> CountRecords(const Bytes& file, const RecordShape& shape);

struct RecordImages {
  std::vector<Bytes> files;  // whole, by CountRecords
  RecordShape shape;
  std::vector<uint8_t> labels;  // of each record, below classes.size(); empty: none
  std::vector<std::string> classes;
  ViewDefaults views;
};
std::unique_ptr<Dataset> MakeRecordDataset(RecordImages images, int channels);

// DataLoss, naming the file and the record, unless each label is below `classes`.
absl::Status CheckLabels(const std::string& path, const std::vector<uint8_t>& labels,
                         int64_t classes);

// The lines of a file of class names: `count` of them, or numbers where there is no such file.
absl::StatusOr<std::vector<std::string>> ReadClassNames(const std::string& path, int64_t count);

}  // namespace data

#endif  // DATA_FORMATS_RECORDS_H_
