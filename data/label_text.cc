#include "data/label_text.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "base/utf8.h"

namespace data {
namespace {

// Takes away what is around the middle of `text`; false, changing nothing, if it is not around it.
bool Strip(absl::string_view& text, absl::string_view before, absl::string_view after) {
  if (text.size() < before.size() + after.size() || !absl::StartsWith(text, before) ||
      !absl::EndsWith(text, after)) {
    return false;
  }
  text = absl::StripAsciiWhitespace(
      text.substr(before.size(), text.size() - before.size() - after.size()));
  return true;
}

// "tensor(3, dtype=torch.int64)": 3, dtype=torch.int64.
bool StripCall(absl::string_view& text) {
  const size_t open = text.find('(');
  if (open == absl::string_view::npos || open == 0) return false;
  for (const absl::string_view name : {"tensor", "array", "np.", "numpy."}) {
    if (!absl::StartsWith(text, name)) continue;
    if (!Strip(text, text.substr(0, open + 1), ")")) return false;
    for (const absl::string_view more : {", dtype=", ", device="}) {
      text = absl::StripAsciiWhitespace(text.substr(0, text.find(more)));
    }
    return true;
  }
  return false;
}

// Whether it is text of digits, perhaps with a sign, a point and an exponent.
std::optional<double> Number(absl::string_view text) {
  double number;
  const bool plain = text.find_first_not_of("+-.0123456789eE") == absl::string_view::npos;
  if (!plain || !absl::SimpleAtod(text, &number)) return std::nullopt;
  return number;
}

}  // namespace

std::string PlainLabel(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  for (bool changed = true; changed;) {
    changed = StripCall(text);
    if (text.find(',') == absl::string_view::npos) changed |= Strip(text, "[", "]");
    changed |= Strip(text, "b'", "'") || Strip(text, "b\"", "\"") || Strip(text, "'", "'");
  }
  return absl::EqualsIgnoreCase(text, "nan") ? "" : std::string(text);
}

TextClasses ClassesOfTexts(const std::vector<std::string>& plain_labels) {
  TextClasses result;
  std::vector<int>& labels = result.classes.labels;
  double largest = -1;
  bool numbers = true;
  for (size_t i = 0; i < plain_labels.size() && numbers; ++i) {
    if (plain_labels[i].empty()) {
      labels.push_back(-1);
      continue;
    }
    const std::optional<double> number = Number(plain_labels[i]);
    numbers = number.has_value();
    if (!numbers) break;
    const char* why = *number != std::floor(*number) ? "is a number with a fraction"
                      : *number < -1                 ? "is a negative number"
                      : *number >= kMaxClasses       ? "is too large a number for a class"
                                                     : "";
    if (*why != '\0' && result.unusable < 0) {
      result.unusable = static_cast<int64_t>(i);
      result.why = why;
    }
    labels.push_back(result.unusable < 0 ? static_cast<int>(*number) : -1);
    largest = std::max(largest, *number);
  }
  if (numbers) {
    if (result.unusable >= 0) {
      labels.clear();
    } else {
      result.classes.names = NumberedClasses(static_cast<int64_t>(largest) + 1);
      if (largest < 0) labels.clear();
    }
    return result;
  }
  result = {};
  std::map<absl::string_view, int> order;
  for (const std::string& label : plain_labels) order.emplace(label, 0);
  order.erase("");
  order.erase("-1");
  for (auto& [name, number] : order) {
    number = static_cast<int>(result.classes.names.size());
    result.classes.names.push_back(base::EscapedUtf8(name));
  }
  order[""] = order["-1"] = -1;
  for (const std::string& label : plain_labels) result.classes.labels.push_back(order[label]);
  return result;
}

}  // namespace data
