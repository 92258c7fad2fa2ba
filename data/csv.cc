#include "data/csv.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "base/utf8.h"

namespace data {
namespace {

constexpr int64_t kMaxBytes = int64_t{1} << 32;

// UTF-16 with the low byte of a unit at `low` (0 or 1). What is no character becomes U+FFFD.
std::string DecodeUtf16(absl::string_view bytes, int low) {
  const auto unit = [&](size_t i) {
    return static_cast<uint32_t>(static_cast<uint8_t>(bytes[i + low])) |
           static_cast<uint32_t>(static_cast<uint8_t>(bytes[i + 1 - low])) << 8;
  };
  std::string text;
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) {
    uint32_t c = unit(i);
    if (c >= 0xD800 && c < 0xE000) {
      const uint32_t next = c < 0xDC00 && i + 3 < bytes.size() ? unit(i + 2) : 0;
      if (next >= 0xDC00 && next < 0xE000) {
        c = 0x10000 + ((c - 0xD800) << 10) + (next - 0xDC00);
        i += 2;
      } else {
        c = 0xFFFD;
      }
    }
    base::AppendUtf8(c, text);
  }
  return text;
}

class Parser {
 public:
  Parser(absl::string_view path, absl::string_view text, char separator)
      : path_(path), text_(text), separator_(separator) {}

  absl::StatusOr<std::vector<Line>> Parse(size_t most) {
    std::vector<Line> lines;
    while (at_ < text_.size() && lines.size() < most) {
      Line line{number_, {}};
      if (absl::Status s = ParseLine(line.fields); !s.ok()) return s;
      const bool empty = std::all_of(line.fields.begin(), line.fields.end(),
                                     [](const std::string& field) { return field.empty(); });
      if (!empty) lines.push_back(std::move(line));
    }
    return lines;
  }

 private:
  static bool EndsLine(char c) { return c == '\n' || c == '\r'; }

  bool AtEnd() const { return at_ == text_.size() || EndsLine(text_[at_]); }

  void SkipBlanks() {
    while (!AtEnd() && text_[at_] != separator_ && absl::ascii_isspace(text_[at_])) ++at_;
  }

  absl::Status ParseLine(std::vector<std::string>& fields) {
    const int64_t first = number_;
    for (;;) {
      SkipBlanks();
      std::string& field = fields.emplace_back();
      if (at_ < text_.size() && text_[at_] == '"') {
        if (!ParseQuoted(field)) {
          return absl::InvalidArgumentError(
              absl::StrCat("'", path_, "' line ", first, ": a quoted field does not end"));
        }
      } else {
        const size_t begin = at_;
        while (!AtEnd() && text_[at_] != separator_) ++at_;
        field = std::string(absl::StripTrailingAsciiWhitespace(text_.substr(begin, at_ - begin)));
      }
      if (AtEnd()) break;
      ++at_;  // the separator
    }
    if (at_ < text_.size()) EndLine();
    return absl::OkStatus();
  }

  void EndLine() {
    at_ += text_.substr(at_, 2) == "\r\n" ? 2 : 1;
    ++number_;
  }

  // Whether the field ends, and nothing but a separator or the line's end follows.
  bool ParseQuoted(std::string& field) {
    ++at_;
    for (;;) {
      if (at_ == text_.size()) return false;
      const char c = text_[at_];
      if (c == '"' && text_.substr(at_, 2) != "\"\"") break;
      if (EndsLine(c)) {
        field += '\n';
        EndLine();
        continue;
      }
      field += c;
      at_ += c == '"' ? 2 : 1;
    }
    ++at_;
    SkipBlanks();
    return AtEnd() || text_[at_] == separator_;
  }

  const absl::string_view path_, text_;
  const char separator_;
  size_t at_ = 0;
  int64_t number_ = 1;
};

}  // namespace

std::string DecodeText(std::string bytes) {
  absl::string_view text = bytes;
  if (absl::ConsumePrefix(&text, "\xFF\xFE")) return DecodeUtf16(text, 0);
  if (absl::ConsumePrefix(&text, "\xFE\xFF")) return DecodeUtf16(text, 1);
  if (absl::ConsumePrefix(&text, "\xEF\xBB\xBF")) return std::string(text);
  // Without a mark: the first character is of ASCII.
  if (text.size() % 2 == 0 && text.size() >= 2 && (text[0] == '\0') != (text[1] == '\0')) {
    return DecodeUtf16(text, text[0] == '\0' ? 1 : 0);
  }
  return bytes;
}

absl::StatusOr<std::vector<Line>> ParseCsv(absl::string_view path, absl::string_view text,
                                           char separator, size_t most) {
  return Parser(path, text, separator).Parse(most);
}

absl::StatusOr<std::string> ReadText(const std::string& path) {
  auto bytes = base::ReadFile(path, kMaxBytes);
  if (!bytes.ok()) return bytes.status();
  std::string text = DecodeText(*std::move(bytes));
  if (absl::StrContains(text, absl::string_view("\0", 1))) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path, "' is not text; save it as UTF-8, in a .csv file"));
  }
  return text;
}

absl::StatusOr<std::vector<Line>> ReadCsv(const std::string& path) {
  const auto text = ReadText(path);
  if (!text.ok()) return text.status();
  return ParseCsv(path, *text, ',');
}

std::string CsvField(absl::string_view text) {
  const bool plain = absl::StripAsciiWhitespace(text) == text &&
                     text.find_first_of(",;\t\"\n\r") == absl::string_view::npos;
  return plain ? std::string(text)
               : absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

}  // namespace data
