// Files of records, each with the pixels of one image, all of one size: what CIFAR, STL-10 and IDX
// have in common.
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
#include "data/decode_options.h"

namespace data {

// The contents of a file: mapped, or unpacked into memory if only `path`.gz exists.
class FileContents {
 public:
  // NotFound if neither exists; InvalidArgument for a folder, pipe or device; DataLoss if the .gz
  // is damaged.
  static absl::StatusOr<FileContents> Read(const std::string& path);

  const std::string& path() const { return path_; }  // of the file that was read, perhaps with .gz
  absl::string_view get() const { return part_ ? *part_ : whole(); }

  // Keeps `part`, which lies in get() or is copied, in place of what get() returns.
  void Keep(absl::string_view part);

 private:
  absl::string_view whole() const { return mapped_ ? mapped_->bytes() : *unpacked_; }

  std::string path_;
  std::optional<base::MappedFile> mapped_;
  std::unique_ptr<std::string> unpacked_;
  std::optional<absl::string_view> part_;
};

// Whether the folder has the file or its .gz; a folder of that name does not count.
bool HasFile(const DataLocation& folder, absl::string_view file);

// The layout of a record.
struct RecordShape {
  int rows, cols;
  int planes;               // 1 for grey, 3 for red, green and blue
  int64_t before = 0;       // bytes of a record before its pixels
  bool by_columns = false;  // a plane is stored column after column, not row after row
  int64_t header = 0;       // bytes of a file before its first record

  int64_t size() const { return before + int64_t{1} * rows * cols * planes; }
};

// The number of records of `shape` in the file, at least 1. DataLoss if the file's size is not a
// multiple of theirs.
absl::StatusOr<int64_t> CountRecords(const FileContents& file, const RecordShape& shape);

struct RecordImages {
  std::vector<FileContents> files;  // that CountRecords accepts
  RecordShape shape;
  std::vector<uint8_t> labels;  // of each record, below classes.size(); empty if there are none
  std::vector<std::string> classes;
  ViewDefaults views;
};
std::unique_ptr<Dataset> MakeRecordDataset(RecordImages images, const DecodeOptions& decode);

// DataLoss, naming the file and the record, if a label is not below `classes`.
absl::Status CheckLabels(const std::string& path, const std::vector<uint8_t>& labels,
                         int64_t classes);

// The lines of a file of class names, `count` of them; numbers if there is no such file. DataLoss
// if there are more or fewer lines.
absl::StatusOr<std::vector<std::string>> ReadClassNames(const std::string& path, int64_t count);

}  // namespace data

#endif  // DATA_FORMATS_RECORDS_H_
