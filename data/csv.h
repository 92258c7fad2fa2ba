// Text tables: comma-separated values, as people, spreadsheets and other programs write them.
#ifndef DATA_CSV_H_
#define DATA_CSV_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace data {

// A row of a table: its fields, without white space around them.
struct Line {
  int64_t number;  // of the line on which it begins, from 1
  std::vector<std::string> fields;
};

// Text as UTF-8, without a byte order mark: UTF-16 is converted, all else is left as it is.
std::string DecodeText(std::string bytes);

// The rows of `text`, without those whose fields are all empty; `most` of them. Fields may be in
// double quotes, where two of them stand for one, and separators and line breaks for themselves.
// Lines end in LF, CR or both. InvalidArgument names `path` and the line.
absl::StatusOr<std::vector<Line>> ParseCsv(absl::string_view path, absl::string_view text,
                                           char separator,
                                           size_t most = std::numeric_limits<size_t>::max());

// The contents of a text file, decoded. InvalidArgument if it is not text.
absl::StatusOr<std::string> ReadText(const std::string& path);

// The rows of a text file of comma-separated values.
absl::StatusOr<std::vector<Line>> ReadCsv(const std::string& path);

// A field as ParseCsv reads it with any separator: in quotes where they are needed.
std::string CsvField(absl::string_view text);

}  // namespace data

#endif  // DATA_CSV_H_
