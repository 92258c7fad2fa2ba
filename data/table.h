// Lists of images with further columns, as Kaggle, pandas, Hugging Face, Roboflow, FiftyOne and
// people write them: which column names the images, and which states their labels.
#ifndef DATA_TABLE_H_
#define DATA_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/csv.h"

namespace data {

struct Table {
  std::string path;
  std::vector<std::string> header;  // the names of the columns; empty if they have none
  std::vector<Line> rows;           // without the header
  size_t width = 0;                 // columns of the header, or of most of the first rows
  size_t file = 0;                  // the column that names the images
  std::optional<size_t> label;      // the column of labels
  std::vector<size_t> one_hot;      // instead: columns of classes, of which one is 1 in each row
  std::optional<size_t> split;      // the column of names of splits (SplitNameOf), or empty fields
  bool label_is_guess = false;      // the column is no known name, but the only one left
  std::vector<std::string> notes;   // what a user should know of the choice

  // Empty if the row is shorter.
  absl::string_view Cell(const Line& row, size_t column) const {
    return column < row.fields.size() ? absl::string_view(row.fields[column]) : "";
  }
  // Whether a row has more fields than there are columns.
  bool IsTooWide(const Line& row) const;

  // "'label'", or "column 2".
  std::string NameOf(size_t column) const;
};

// Whether a cell ends like the name of an image.
bool EndsLikeImage(absl::string_view cell);

// Whether it is one of the names of columns that docs/data.md lists, for images or labels.
bool IsColumnName(absl::string_view cell);

// The name of a file in a cell: slashes for backslashes, without `./` before it.
std::string FileNameOf(absl::string_view cell);

// That a cell is not UTF-8: InvalidArgument with the remedy.
absl::Status NotUtf8(absl::string_view path, int64_t line, absl::string_view cell);

// The table in a file: one JSON object a line if its name ends in .jsonl, otherwise text whose
// columns are separated by commas, semicolons, tabs, or, before a single label, a space. A first
// line that names no image is the header.
//
// `columns`: the names of the columns of images and of labels, or their numbers from 1, with a
// comma or a space between them, or of the images alone; empty: the columns are found by the names
// in docs/data.md and by what is in them.
//
// A column that is called `split` or the like must hold names of splits alone, so that a misspelt
// one is not trained on. If `columns` are given, such a column with other words is left out, and a
// note says so.
//
// `names_image`: whether a cell is the name of an image without the ending of one; asked if no cell
// has such an ending.
//
// All text but the names of images, which may hold any bytes, is UTF-8 (or UTF-16, see DecodeText).
//
// A table without rows is no error. InvalidArgument, naming the file and the line or the columns,
// if the file is no such table, no column names images, several do, one that states splits holds
// another word, or text is not UTF-8.
absl::StatusOr<Table> ReadTable(
    const std::string& path, const std::string& columns = "",
    const std::function<bool(absl::string_view cell)>& names_image = nullptr);

// The same for the file's decoded text.
absl::StatusOr<Table> ParseTable(const std::string& path, absl::string_view text,
                                 const std::string& columns,
                                 const std::function<bool(absl::string_view cell)>& names_image);

}  // namespace data

#endif  // DATA_TABLE_H_
