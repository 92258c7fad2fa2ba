// Labels and lists that lie beside images.
#ifndef DATA_LABELS_H_
#define DATA_LABELS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace data {

// The labels in a file that torch.save wrote: an int64 tensor of one dimension, each entry 0 to
// kMaxClasses - 1. InvalidArgument and DataLoss name the file and the entry.
absl::StatusOr<std::vector<int>> ReadLabelTensor(const std::string& path);

// A line of a list: the fields between its commas, without white space around them.
struct Line {
  int64_t number;  // from 1
  std::vector<std::string> fields;
};

// The lines of a text file, without the empty ones. A field may be in double quotes; two of them
// inside it stand for one. InvalidArgument names the file and the line.
absl::StatusOr<std::vector<Line>> ReadCsv(const std::string& path);

// A field as ReadCsv reads it: in quotes where they are needed. (A field cannot hold a line break.)
std::string CsvField(absl::string_view text);

// Whether a list's first line is its header: it begins with `file`, `filename`, `image`, `name` or
// `path`, in upper or lower case.
bool IsHeader(const Line& line);

}  // namespace data

#endif  // DATA_LABELS_H_
