// Bytes written as hexadecimal digits. (Abseil's function for it has another form in newer
// releases, where the older form is deprecated.)
#ifndef BASE_HEX_H_
#define BASE_HEX_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"

namespace base {

// The bytes whose digits, two for each, are `digits`. Nothing if there are other characters in
// them, or an odd number.
inline std::optional<std::string> BytesOfHex(absl::string_view digits) {
  if (digits.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (size_t i = 0; i < digits.size(); i += 2) {
    int byte = 0;
    for (char c : digits.substr(i, 2)) {
      if (!absl::ascii_isxdigit(c)) return std::nullopt;
      byte = byte << 4 | (absl::ascii_isdigit(c) ? c - '0' : absl::ascii_tolower(c) - 'a' + 10);
    }
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

}  // namespace base

#endif  // BASE_HEX_H_
