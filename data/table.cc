#include "data/table.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/utf8.h"
#include "data/listing.h"
#include "data/location.h"

namespace data {
namespace {

using nlohmann::json;

// Rows that are looked at to find the columns.
constexpr size_t kSample = 100;

// Names of columns as Plain() writes them; earlier ones are preferred.
constexpr absl::string_view kFileNames[] = {
    "file",      "filename",     "filepath",  "image",         "imageid",    "path",
    "imagepath", "imagename",    "imagefile", "imagefilename", "imageindex", "img",
    "imgpath",   "imgname",      "imgid",     "imgfile",       "fname",      "fpath",
    "fullpath",  "relativepath", "photo",     "photoid",       "picture",    "name",
    "id",        "idcode",       "key"};
constexpr absl::string_view kLabelNames[] = {
    "label",      "class",   "category", "target",     "labelname",  "classname",  "categoryname",
    "classlabel", "labelid", "classid",  "categoryid", "labelindex", "classindex", "y"};
constexpr absl::string_view kSplitNames[] = {"split", "dataset", "subset", "partition", "set"};
// Those of them that also name the source of an image, so that a column without any split's name is
// of another kind.
constexpr absl::string_view kSourceNames[] = {"dataset", "set"};

// A column's name as the lists above have it: "Image Index", "ground_truth.label", "#Labels".
std::string Plain(absl::string_view name) {
  name.remove_prefix(name.rfind('.') + 1);  // npos + 1 is 0
  std::string plain;
  for (const char c : name) {
    if (absl::ascii_isalnum(c) || (c & 0x80) != 0) plain += absl::ascii_tolower(c);
  }
  if (plain.size() > 3 && absl::EndsWith(plain, "s") && !absl::EndsWith(plain, "ss")) {
    plain.pop_back();
  }
  return plain;
}

// Where the column's name is in one of the lists above; the list's size if it is not.
template <size_t kSize>
size_t RankIn(const absl::string_view (&names)[kSize], absl::string_view column) {
  return std::find(names, names + kSize, Plain(column)) - names;
}

template <size_t kSize>
bool IsIn(const absl::string_view (&names)[kSize], absl::string_view column) {
  return RankIn(names, column) < kSize;
}

bool SaysSplit(absl::string_view cell) { return !SplitNameOf(cell).empty(); }

size_t WidthOf(const std::vector<Line>& lines) {
  size_t width = 0;
  for (const Line& line : lines) width = std::max(width, line.fields.size());
  return width;
}

// --- From text to rows ---

// How well a separator explains the first rows: their names, and cells that name images, say most.
int Score(const std::vector<Line>& sample) {
  const size_t width = WidthOf(sample);
  const auto& first = sample[0].fields;
  const bool known = first.size() > 1 && std::any_of(first.begin(), first.end(), IsColumnName);
  bool image_column = false;
  for (size_t c = 0; c < width && !image_column; ++c) {
    image_column = std::all_of(
        sample.begin() + (sample.size() > 1), sample.end(),
        [&](const Line& line) { return c < line.fields.size() && EndsLikeImage(line.fields[c]); });
  }
  const bool even = std::all_of(sample.begin(), sample.end(),
                                [&](const Line& line) { return line.fields.size() == width; });
  return 8 * known + 4 * image_column + (width > 1 ? 2 * even + 1 : 0);
}

absl::StatusOr<std::vector<Line>> ParseText(const std::string& path, absl::string_view text) {
  char separator = ',';
  // Excel's own statement.
  if (absl::StartsWithIgnoreCase(text, "sep=") && text.size() > 5 &&
      (text[5] == '\n' || text[5] == '\r')) {
    separator = text[4];
    auto lines = ParseCsv(path, text, separator);
    if (lines.ok() && !lines->empty()) lines->erase(lines->begin());
    return lines;
  }
  int best = -1;
  for (const char candidate : {'\t', ',', ';'}) {
    const auto sample = ParseCsv(path, text, candidate, kSample);
    if (!sample.ok() || sample->empty()) continue;
    const int score = Score(*sample);
    if (score > best) std::tie(best, separator) = std::pair(score, candidate);
  }
  auto lines = ParseCsv(path, text, separator);
  if (!lines.ok() || WidthOf(*lines) > 1) return lines;
  // One column: perhaps a name and, after the last space, a label, in each.
  std::vector<Line> cut = *lines;
  for (Line& line : cut) {
    const std::string field = line.fields[0];
    const size_t space = field.find_last_of(' ');
    const absl::string_view name = absl::string_view(field).substr(0, space);
    if (space == std::string::npos || !EndsLikeImage(name) || EndsLikeImage(field)) return lines;
    line.fields = {std::string(absl::StripAsciiWhitespace(name)), field.substr(space + 1)};
  }
  return cut;
}

// A value of JSON as a cell; empty for what a cell cannot hold.
std::string CellOf(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number() || value.is_boolean()) return value.dump();
  if (value.is_array() && value.size() == 1 && value[0].is_primitive()) return CellOf(value[0]);
  return "";
}

// The header, and a row for each object.
absl::StatusOr<std::vector<Line>> ParseJsonLines(const std::string& path, absl::string_view text) {
  std::vector<Line> lines = {{0, {}}};
  std::map<std::string, size_t> columns;
  int64_t number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty()) continue;
    if (!base::IsUtf8(line)) return NotUtf8(path, number, line);
    // Nesting is cut, because the parser's destructor would recurse.
    const json object = json::parse(
        line.begin(), line.end(),
        [](int depth, json::parse_event_t event, const json&) {
          return depth < 4 || (event != json::parse_event_t::object_start &&
                               event != json::parse_event_t::array_start);
        },
        /*allow_exceptions=*/false);
    if (!object.is_object()) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", path, "' line ", number,
                       " is not a JSON object, such as {\"file_name\": \"1.jpg\"}"));
    }
    Line row{number, {}};
    for (const auto& [key, value] : object.items()) {
      const auto [column, is_new] = columns.emplace(key, columns.size());
      if (is_new) lines[0].fields.push_back(key);
      if (row.fields.size() <= column->second) row.fields.resize(column->second + 1);
      row.fields[column->second] = CellOf(value);
    }
    lines.push_back(std::move(row));
  }
  return lines;
}

// --- From rows to columns ---

class Finder {
 public:
  explicit Finder(Table& table) : table_(table) {}

  absl::Status Find(std::vector<Line> lines, const std::string& columns,
                    const std::function<bool(absl::string_view)>& names_image) {
    table_.rows = std::move(lines);
    const auto end = table_.rows.begin() + std::min(table_.rows.size(), kSample);
    const bool with_endings =
        std::any_of(table_.rows.begin(), end, [&](const Line& row) { return NamesAnImage(row); });
    if (!with_endings && names_image != nullptr) names_image_ = names_image;
    const int64_t first_line = table_.rows[0].number;
    const bool chosen_by_name = !columns.empty() && Choose(table_.rows[0].fields, columns);
    if (chosen_by_name || FirstLineIsHeader()) TakeHeader();
    for (const std::string& name : table_.header) {
      if (absl::Status s = CheckText(first_line, name); !s.ok()) return s;
    }
    if (table_.rows.empty()) return absl::OkStatus();
    width_ = table_.width = Width();
    if (!columns.empty() && !chosen_by_name && !ChooseByNumber(columns)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "'", table_.path, "' has no columns '", columns, "'; its ", width_, " columns ",
          table_.header.empty() ? "have numbers from 1" : absl::StrCat("are ", ColumnNames()),
          "; name those of the images and labels: --columns=FILE,LABEL"));
    }
    if (absl::Status s = FindSplit(/*are_given=*/!columns.empty()); !s.ok()) return s;
    if (!columns.empty()) return CheckTexts();
    if (absl::Status s = FindFile(); !s.ok()) return s;
    FindLabel();
    Note();
    return CheckTexts();
  }

 private:
  // --- The header ---

  bool NamesAnImage(const Line& line) const {
    return std::any_of(line.fields.begin(), line.fields.end(), names_image_);
  }

  bool FirstLineIsHeader() const {
    const std::vector<std::string>& first = table_.rows[0].fields;
    return !NamesAnImage(table_.rows[0]) && std::none_of(first.begin(), first.end(), HasArrayName);
  }

  void TakeHeader() {
    table_.header = std::move(table_.rows[0].fields);
    table_.rows.erase(table_.rows.begin());
    // R leaves out the name of the column that numbers the rows.
    const auto is_wider = [&](const Line& row) {
      return row.fields.size() == table_.header.size() + 1 && !row.fields.back().empty();
    };
    if (!table_.rows.empty() && std::all_of(table_.rows.begin(), table_.rows.end(), is_wider)) {
      table_.header.insert(table_.header.begin(), "");
      if (table_.label) ++*table_.label;
      ++table_.file;
    }
  }

  // The most usual width of the first rows, if there is no header.
  size_t Width() const {
    if (!table_.header.empty()) return table_.header.size();
    std::map<size_t, int> counts;
    for (size_t i = 0; i < std::min(table_.rows.size(), kSample); ++i) {
      ++counts[table_.rows[i].fields.size()];
    }
    std::pair<int, size_t> most;  // of widths that are as frequent, the larger
    for (const auto& [width, count] : counts) most = std::max(most, std::pair(count, width));
    return most.second;
  }

  absl::Status NamesNoImages() const {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", table_.path, "' names no images: no line has an image's name (.jpg, .png, ...)"));
  }

  std::string ColumnNames() const {
    return absl::StrCat("'", absl::StrJoin(table_.header, "', '"), "'");
  }

  absl::Status CheckText(int64_t line, absl::string_view cell) const {
    return base::IsUtf8(cell) ? absl::OkStatus() : NotUtf8(table_.path, line, cell);
  }

  // All cells but the names of images, which on Linux may hold any bytes.
  absl::Status CheckTexts() const {
    for (const Line& row : table_.rows) {
      for (size_t c = 0; c < row.fields.size(); ++c) {
        if (c == table_.file) continue;
        if (absl::Status s = CheckText(row.number, row.fields[c]); !s.ok()) return s;
      }
    }
    return absl::OkStatus();
  }

  // --- Columns that are given ---

  static std::optional<size_t> ColumnCalled(const std::vector<std::string>& header,
                                            absl::string_view name) {
    name = absl::StripAsciiWhitespace(name);
    for (size_t c = 0; c < header.size(); ++c) {
      if (header[c] == name) return c;
    }
    for (size_t c = 0; c < header.size(); ++c) {
      if (absl::EqualsIgnoreCase(header[c], name)) return c;
    }
    return std::nullopt;
  }

  // Whether `columns` are names in `header`, which may hold spaces and commas.
  bool Choose(const std::vector<std::string>& header, absl::string_view columns) {
    if (const auto file = ColumnCalled(header, columns)) {
      table_.file = *file;
      return true;
    }
    for (size_t cut = columns.find_first_of(", "); cut != absl::string_view::npos;
         cut = columns.find_first_of(", ", cut + 1)) {
      const auto file = ColumnCalled(header, columns.substr(0, cut));
      const auto label = ColumnCalled(header, columns.substr(cut + 1));
      if (!file || !label) continue;
      table_.file = *file;
      table_.label = *label;
      return true;
    }
    return false;
  }

  bool ChooseByNumber(absl::string_view columns) {
    std::vector<size_t> numbers;
    for (const absl::string_view text :
         absl::StrSplit(columns, absl::ByAnyChar(", "), absl::SkipEmpty())) {
      size_t number;
      if (!absl::SimpleAtoi(text, &number) || number < 1 || number > width_) return false;
      numbers.push_back(number - 1);
    }
    if (numbers.empty() || numbers.size() > 2) return false;
    table_.file = numbers[0];
    if (numbers.size() == 2) table_.label = numbers[1];
    return true;
  }

  // --- Columns that are found ---

  // Whether all cells of a column in the first rows, except for empty ones, are of a kind; at least
  // one is not empty.
  template <class OfKind>
  bool AllCells(size_t column, const OfKind& of_kind) const {
    bool any = false;
    for (size_t i = 0; i < std::min(table_.rows.size(), kSample); ++i) {
      const absl::string_view cell = table_.Cell(table_.rows[i], column);
      if (cell.empty()) continue;
      any = true;
      if (!of_kind(cell)) return false;
    }
    return any;
  }

  absl::string_view HeaderOf(size_t column) const {
    return table_.header.empty() ? "" : absl::string_view(table_.header[column]);
  }

  // Numbers of the rows: 0, 1, 2, ... or 1, 2, 3, ..., without a name that says more.
  bool IsIndex(size_t column) const {
    if (column > 0) return false;
    const std::string name = Plain(HeaderOf(column));
    if (!name.empty() && name != "index" && name != "unnamed0" && name != "unnamed") return false;
    for (size_t i = 0; i < std::min(table_.rows.size(), kSample); ++i) {
      size_t number;
      if (!absl::SimpleAtoi(table_.Cell(table_.rows[i], column), &number)) return false;
      if (number != i && number != i + 1) return false;
    }
    return true;
  }

  absl::Status FindFile() {
    std::vector<size_t> candidates;
    for (size_t c = 0; c < width_; ++c) {
      if (AllCells(c, names_image_)) candidates.push_back(c);
    }
    for (size_t c = 0; candidates.empty() && c < width_; ++c) {  // with mistakes, then
      for (size_t i = 0; i < std::min(table_.rows.size(), kSample); ++i) {
        if (!names_image_(table_.Cell(table_.rows[i], c))) continue;
        candidates.push_back(c);
        break;
      }
    }
    if (candidates.empty()) return NamesNoImages();
    std::stable_sort(candidates.begin(), candidates.end(), [&](size_t a, size_t b) {
      return RankIn(kFileNames, HeaderOf(a)) < RankIn(kFileNames, HeaderOf(b));
    });
    table_.file = candidates[0];
    if (candidates.size() > 1 && !IsIn(kFileNames, HeaderOf(candidates[0]))) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", table_.path, "' has several columns that name images, such as ",
                       table_.NameOf(candidates[0]), " and ", table_.NameOf(candidates[1]),
                       "; choose one with --columns=FILE,LABEL"));
    }
    return absl::OkStatus();
  }

  // Whether the column is one of splits, by its name and by what some of its cells say.
  bool MayStateSplits(size_t column) const {
    if (!table_.header.empty() && !IsIn(kSplitNames, HeaderOf(column))) return false;
    if (table_.header.empty() && AllCells(column, SaysSplit)) return true;
    std::set<absl::string_view> splits;
    bool any = false;
    for (const Line& row : table_.rows) {
      const absl::string_view cell = table_.Cell(row, column);
      any |= !cell.empty();
      if (SaysSplit(cell)) splits.insert(SplitNameOf(cell));
    }
    // Without a name, a single such word may be a class.
    if (table_.header.empty()) return splits.size() > 1;
    return any && (!splits.empty() || !IsIn(kSourceNames, HeaderOf(column)));
  }

  // `are_given`: the columns of images and labels.
  absl::Status FindSplit(bool are_given) {
    absl::Status unknown;
    for (size_t c = 0; c < width_; ++c) {
      if (are_given && (c == table_.file || c == table_.label)) continue;
      if (!MayStateSplits(c)) continue;
      const auto wrong = std::find_if(table_.rows.begin(), table_.rows.end(), [&](const Line& row) {
        const absl::string_view cell = table_.Cell(row, c);
        return !cell.empty() && !SaysSplit(cell);
      });
      if (wrong == table_.rows.end()) {
        table_.split = c;
        return absl::OkStatus();
      }
      const std::string why =
          absl::StrCat("'", table_.path, "' line ", wrong->number, ": ", table_.NameOf(c), " is '",
                       table_.Cell(*wrong, c), "', which names no split");
      if (are_given) {
        table_.notes.push_back(absl::StrCat(why, "; the column is left out"));
      } else {
        unknown.Update(absl::InvalidArgumentError(
            absl::StrCat(why, " (", absl::StrJoin(SplitWords(), ", "),
                         "); correct it, or leave the column out with --columns=FILE,LABEL")));
      }
    }
    return unknown;
  }

  void FindLabel() {
    std::vector<size_t> others;
    for (size_t c = 0; c < width_; ++c) {
      if (c != table_.file && c != table_.split && !IsIndex(c)) others.push_back(c);
    }
    if (others.empty()) return;
    const auto best = std::min_element(others.begin(), others.end(), [&](size_t a, size_t b) {
      return RankIn(kLabelNames, HeaderOf(a)) < RankIn(kLabelNames, HeaderOf(b));
    });
    const auto is_flag = [](absl::string_view cell) {
      double number;
      return absl::SimpleAtod(cell, &number) && (number == 0 || number == 1);
    };
    if (IsIn(kLabelNames, HeaderOf(*best))) {
      table_.label = *best;
    } else if (others.size() == 1) {
      table_.label = others[0];
      table_.label_is_guess = !table_.header.empty();
    } else if (!table_.header.empty() && std::all_of(others.begin(), others.end(), [&](size_t c) {
                 return AllCells(c, is_flag);
               })) {
      table_.one_hot = others;
    }
  }

  void Note() {
    if (table_.header.empty() && width_ <= 2) return;
    const bool usual = width_ == 1 || (width_ == 2 && table_.label && !table_.label_is_guess);
    if (usual) return;
    const std::string labels =
        table_.label ? absl::StrCat(table_.NameOf(*table_.label), " states the labels")
        : table_.one_hot.empty()
            ? "no column states labels"
            : absl::StrCat(table_.one_hot.size(), " columns of 0 and 1 state the classes");
    table_.notes.push_back(absl::StrCat(
        "'", table_.path, "': ", table_.NameOf(table_.file), " names the images, ", labels,
        table_.split ? absl::StrCat(", ", table_.NameOf(*table_.split), " the split") : "",
        FurtherColumns(), " (--columns=FILE,LABEL chooses)"));
  }

  // What Note() says of the columns that are not used.
  std::string FurtherColumns() const {
    constexpr size_t kShown = 5;
    std::vector<std::string> further;
    for (size_t c = 0; c < width_; ++c) {
      const bool used = c == table_.file || c == table_.label || c == table_.split ||
                        std::count(table_.one_hot.begin(), table_.one_hot.end(), c) > 0;
      if (!used) further.push_back(table_.NameOf(c));
    }
    if (further.empty()) return "";
    const size_t count = further.size(), shown = std::min(count, kShown);
    further.resize(shown);
    return absl::StrCat("; left out: ", absl::StrJoin(further, ", "),
                        count > shown ? absl::StrCat(" and ", count - shown, " more columns") : "");
  }

  Table& table_;
  std::function<bool(absl::string_view)> names_image_ = EndsLikeImage;
  size_t width_ = 0;
};

}  // namespace

bool Table::IsTooWide(const Line& row) const {
  const auto end = row.fields.begin() + std::min(width, row.fields.size());
  return std::any_of(end, row.fields.end(),
                     [](const std::string& field) { return !field.empty(); });
}

std::string Table::NameOf(size_t column) const {
  return header.empty() || header[column].empty() ? absl::StrCat("column ", column + 1)
                                                  : absl::StrCat("'", header[column], "'");
}

bool EndsLikeImage(absl::string_view cell) {
  return HasImageName(cell.substr(cell.find_last_of("/\\") + 1));  // npos + 1 is 0
}

bool IsColumnName(absl::string_view cell) {
  return IsIn(kFileNames, cell) || IsIn(kLabelNames, cell);
}

std::string FileNameOf(absl::string_view cell) {
  const std::string slashes = absl::StrReplaceAll(cell, {{"\\", "/"}});
  absl::string_view name = slashes;
  while (absl::ConsumePrefix(&name, "./")) {
  }
  return std::string(name);
}

absl::Status NotUtf8(absl::string_view path, int64_t line, absl::string_view cell) {
  constexpr size_t kShown = 80;
  return absl::InvalidArgumentError(absl::StrCat(
      "'", path, "' line ", line, ": the text '", base::EscapedUtf8(cell.substr(0, kShown)),
      "' is not UTF-8; save the list as UTF-8 (in Excel: CSV UTF-8)"));
}

absl::StatusOr<Table> ReadTable(const std::string& path, const std::string& columns,
                                const std::function<bool(absl::string_view)>& names_image) {
  const auto text = ReadText(path);
  if (!text.ok()) return text.status();
  return ParseTable(path, *text, columns, names_image);
}

absl::StatusOr<Table> ParseTable(const std::string& path, absl::string_view text,
                                 const std::string& columns,
                                 const std::function<bool(absl::string_view)>& names_image) {
  auto lines =
      absl::EndsWithIgnoreCase(path, ".jsonl") ? ParseJsonLines(path, text) : ParseText(path, text);
  if (!lines.ok()) return lines.status();
  Table table;
  table.path = path;
  if (lines->empty()) return table;
  absl::Status status = Finder(table).Find(*std::move(lines), columns, names_image);
  if (!status.ok()) return status;
  return table;
}

}  // namespace data
