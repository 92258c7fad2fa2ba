#include "registry/spec.h"

#include <algorithm>
#include <numeric>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace registry {
namespace {

bool IsWord(absl::string_view s) {
  return !s.empty() &&
         std::all_of(s.begin(), s.end(), [](char c) { return absl::ascii_isalnum(c) || c == '_'; });
}

absl::Status Malformed(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("spec '", text, "': ", why, "; write name or name:key=value,key=value"));
}

// Edits (insert, delete, replace) that turn `a` into `b`.
size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row.back();
}

}  // namespace

absl::StatusOr<Spec> ParseSpec(absl::string_view text) {
  const size_t colon = text.find(':');
  Spec spec;
  spec.name = std::string(absl::StripAsciiWhitespace(text.substr(0, colon)));
  if (!IsWord(spec.name))
    return Malformed(text, "the name is empty or has other characters than letters, digits and _");
  if (colon == absl::string_view::npos) return spec;
  for (absl::string_view option : absl::StrSplit(text.substr(colon + 1), ',')) {
    const size_t equals = option.find('=');
    const absl::string_view key = absl::StripAsciiWhitespace(option.substr(0, equals));
    if (equals == absl::string_view::npos || !IsWord(key)) {
      return Malformed(text, absl::StrCat("'", option, "' is not key=value"));
    }
    for (const auto& [earlier, value] : spec.options) {
      if (earlier == key) return Malformed(text, absl::StrCat("option '", key, "' is given twice"));
    }
    spec.options.emplace_back(key, absl::StripAsciiWhitespace(option.substr(equals + 1)));
  }
  return spec;
}

absl::StatusOr<std::vector<std::string>> SplitPipeline(absl::string_view text) {
  std::vector<std::string> parts = absl::StrSplit(text, '|');
  for (std::string& part : parts) {
    absl::StripAsciiWhitespace(&part);
    if (part.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("pipeline '", text, "' has an empty step; write spec|spec|spec"));
    }
  }
  return parts;
}

std::string ToString(const Spec& spec) {
  if (spec.options.empty()) return spec.name;
  return absl::StrCat(spec.name, ":", absl::StrJoin(spec.options, ",", absl::PairFormatter("=")));
}

std::string Nearest(absl::string_view word, const std::vector<std::string>& known) {
  const std::string* best = nullptr;
  size_t best_distance = word.size() / 3 + 2;  // more edits: another word
  for (const std::string& candidate : known) {
    const size_t distance = EditDistance(word, candidate);
    if (distance < best_distance) {
      best = &candidate;
      best_distance = distance;
    }
  }
  return best == nullptr ? "" : *best;
}

std::string UnknownMessage(absl::string_view kind, absl::string_view word,
                           const std::vector<std::string>& known) {
  const std::string nearest = Nearest(word, known);
  return absl::StrCat("unknown ", kind, " '", word, "'",
                      nearest.empty() ? "." : absl::StrCat("; did you mean '", nearest, "'?"),
                      " Known: ", known.empty() ? "none" : absl::StrJoin(known, ", "));
}

}  // namespace registry
