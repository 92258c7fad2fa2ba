#include "tools/selection/answers.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "data/label_text.h"
#include "data/listing.h"
#include "registry/spec.h"

namespace selection {
namespace {

constexpr int64_t kMaxClassesBytes = int64_t{1} << 28;

// Classes by the names or numbers that answers use for them.
class ClassNames {
 public:
  explicit ClassNames(const std::vector<std::string>& names) : names_(names) {
    for (const std::string& name : names) {
      numbers_.emplace(name, static_cast<int>(numbers_.size()));
    }
  }

  std::optional<int> Find(const std::string& text) const {
    if (names_.empty()) {
      int number;
      if (!absl::SimpleAtoi(text, &number) || number < 0 || number >= data::kMaxClasses) {
        return std::nullopt;
      }
      return number;
    }
    const auto found = numbers_.find(text);
    if (found == numbers_.end()) return std::nullopt;
    return found->second;
  }

  // Why Find() returns nothing for `text`.
  std::string Unknown(const std::string& text) const {
    if (names_.empty()) {
      return absl::StrCat("'", text, "' is not a class number from 0 to ", data::kMaxClasses - 1,
                          "; to use class names, give --classes=FILE");
    }
    const std::string near = registry::Nearest(text, names_);
    return absl::StrCat("'", text, "' is not a class name in --classes",
                        near.empty() ? "" : absl::StrCat("; did you mean '", near, "'?"));
  }

  std::string Name(int number) const {
    return names_.empty() ? absl::StrCat(number) : absl::StrCat("'", names_[number], "'");
  }

 private:
  const std::vector<std::string>& names_;
  std::map<absl::string_view, int> numbers_;
};

}  // namespace

absl::StatusOr<std::vector<std::string>> ReadClasses(const std::string& path) {
  const auto text = base::ReadFile(path, kMaxClassesBytes);
  if (!text.ok()) return text.status();
  absl::string_view rest = *text;
  absl::ConsumePrefix(&rest, "\xEF\xBB\xBF");  // a byte order mark
  std::vector<std::string> names;
  std::map<std::string, size_t> seen;  // the line of each name
  for (absl::string_view line : absl::StrSplit(absl::StripTrailingAsciiWhitespace(rest), '\n')) {
    line = absl::StripAsciiWhitespace(line);
    names.emplace_back(line);
    const auto [first, is_new] = seen.emplace(names.back(), names.size());
    if (line.empty() || !is_new) {
      return absl::InvalidArgumentError(absl::StrCat(
          "'", path, "' line ", names.size(), ": ",
          line.empty() ? "the line is empty; give one class name per line"
                       : absl::StrCat("'", line, "' is already the name in line ", first->second)));
    }
  }
  return names;
}

Answers JoinAnswers(const std::vector<data::RequestedImage>& request, const data::Table& table,
                    const std::vector<std::string>& classes) {
  const ClassNames names(classes);
  std::map<absl::string_view, size_t> places;  // in the request
  for (const auto& [name, line] : request) places.emplace(name, places.size());

  Answers answers;
  answers.labels.assign(request.size(), -1);
  std::map<absl::string_view, std::pair<int, int64_t>> given;  // file: label, line
  for (const data::Line& line : table.rows) {
    const auto conflict = [&](const auto&... why) {
      answers.conflicts.push_back(absl::StrCat("line ", line.number, ": ", why...));
    };
    if (!table.label || table.IsTooWide(line) ||
        line.fields.size() <= std::max(table.file, *table.label)) {
      conflict("'", absl::StrJoin(line.fields, ","), "' is not file,label");
      continue;
    }
    const std::string& file = line.fields[table.file];
    const std::string text = data::PlainLabel(line.fields[*table.label]);
    if (text.empty()) continue;  // reported below if the image is in the request
    const std::optional<int> label = names.Find(text);
    if (!label.has_value()) {
      conflict("'", file, "': ", names.Unknown(text));
      continue;
    }
    const auto [first, is_new] = given.emplace(file, std::pair(*label, line.number));
    if (!is_new) {
      const auto& [label_before, line_before] = first->second;
      if (*label == label_before) {
        ++answers.repeated;
      } else {
        conflict("'", file, "' is labelled ", names.Name(*label), ", but ",
                 names.Name(label_before), " in line ", line_before);
      }
      continue;
    }
    const auto place = places.find(file);
    if (place == places.end()) {
      conflict("'", file, "' is not in the request");
    } else {
      answers.labels[place->second] = *label;
    }
  }
  for (size_t i = 0; i < request.size(); ++i) {
    if (answers.labels[i] < 0) {
      answers.conflicts.push_back(absl::StrCat("'", request[i].name, "' (line ", request[i].line,
                                               " of the request) has no label"));
    }
  }
  return answers;
}

}  // namespace selection
