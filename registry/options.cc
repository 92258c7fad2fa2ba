#include "registry/options.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace registry {

Range Between(double low, double high) { return {.low = low, .high = high}; }
Range AtLeast(double low) { return {.low = low}; }
Range Positive() { return {.low = 0, .open_low = true}; }
Range OneOf(std::vector<std::string> words) { return {.words = std::move(words)}; }

bool ReadValue(const std::string& text, bool* field) { return absl::SimpleAtob(text, field); }
bool ReadValue(const std::string& text, int64_t* field) { return absl::SimpleAtoi(text, field); }
bool ReadValue(const std::string& text, double* field) { return absl::SimpleAtod(text, field); }
bool ReadValue(const std::string& text, std::string* field) {
  *field = text;
  return true;
}

std::string WriteValue(bool field) { return field ? "true" : "false"; }
std::string WriteValue(int64_t field) { return absl::StrCat(field); }
std::string WriteValue(double field) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), field).ptr;
  return std::string(buffer, end);
}
std::string WriteValue(const std::string& field) { return field; }

std::string ToString(const Range& range) {
  if (!range.words.empty()) return absl::StrJoin(range.words, " or ");
  const bool low = range.low != -std::numeric_limits<double>::infinity();
  const bool high = range.high != std::numeric_limits<double>::infinity();
  if (low && high) {
    return absl::StrCat(range.open_low ? "above " : "", WriteValue(range.low), " to ",
                        WriteValue(range.high));
  }
  if (low) return absl::StrCat(range.open_low ? "above " : "at least ", WriteValue(range.low));
  return high ? absl::StrCat("at most ", WriteValue(range.high)) : "";
}

bool Contains(const Range& range, double value) {
  if (!(value >= range.low && value <= range.high)) return false;  // written so that NaN fails
  return !(range.open_low && value == range.low) &&
         value != std::numeric_limits<double>::infinity();
}

bool Contains(const Range& range, const std::string& value) {
  return range.words.empty() ||
         std::find(range.words.begin(), range.words.end(), value) != range.words.end();
}

namespace internal {

void Parser::Fail(const char* key, const std::string& text, const std::string& wanted) {
  if (!status_.ok()) return;  // only the first error is reported
  const std::string phrase = wanted == TypeName(int64_t{})  ? "an integer"
                             : wanted == TypeName(double{}) ? "a number"
                             : wanted == TypeName(bool{})   ? "true or false"
                                                            : wanted;
  status_ = absl::InvalidArgumentError(
      absl::StrCat(spec_.name, ": option '", key, "' is '", text, "', must be ", phrase));
}

absl::Status Parser::Finish() const {
  for (size_t i = 0; i < used_.size(); ++i) {
    if (used_[i]) continue;
    if (known_.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("unknown option '", spec_.options[i].first,
                                                     "'; ", spec_.name, " takes no options"));
    }
    return absl::InvalidArgumentError(
        UnknownMessage(absl::StrCat("option of ", spec_.name), spec_.options[i].first, known_));
  }
  return status_;
}

}  // namespace internal
}  // namespace registry
