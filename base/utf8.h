// Text in UTF-8.
#ifndef BASE_UTF8_H_
#define BASE_UTF8_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace base {

// Appends the character with the number `c` of Unicode, below 0x200000.
inline void AppendUtf8(uint32_t c, std::string& text) {
  if (c < 0x80) {
    text += static_cast<char>(c);
    return;
  }
  const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;  // bytes behind the first
  text += static_cast<char>((0xff << (7 - more) & 0xff) | c >> 6 * more);
  for (int k = more - 1; k >= 0; --k) text += static_cast<char>(0x80 | (c >> 6 * k & 0x3f));
}

// Whether the bytes are characters in UTF-8.
inline bool IsUtf8(absl::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<uint8_t>(text[i]);
    size_t size = 0;
    if (lead < 0x80) size = 1;
    if (lead >= 0xc2 && lead < 0xe0) size = 2;
    if (lead >= 0xe0 && lead < 0xf0) size = 3;
    if (lead >= 0xf0 && lead < 0xf5) size = 4;
    if (size == 0 || size > text.size() - i) return false;
    for (size_t k = 1; k < size; ++k) {
      if ((text[i + k] & 0xc0) != 0x80) return false;
    }
    i += size;
  }
  return true;
}

}  // namespace base

#endif  // BASE_UTF8_H_
