#include "page/html.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "nlohmann/json.hpp"

namespace page {
namespace {

constexpr char kReplacement[] = "\xEF\xBF\xBD";  // U+FFFD

// The length of the UTF-8 character at the start of `text`; 0 if there is none (RFC 3629).
size_t CharacterLength(absl::string_view text) {
  const auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0};
  };
  if (byte(0) < 0x80) return 1;
  const size_t length = byte(0) >= 0xF5   ? 0
                        : byte(0) >= 0xF0 ? 4
                        : byte(0) >= 0xE0 ? 3
                        : byte(0) >= 0xC2 ? 2
                                          : 0;
  // Overlong forms, surrogates, and code points above U+10FFFF.
  if ((byte(0) == 0xE0 && byte(1) < 0xA0) || (byte(0) == 0xED && byte(1) >= 0xA0) ||
      (byte(0) == 0xF0 && byte(1) < 0x90) || (byte(0) == 0xF4 && byte(1) >= 0x90)) {
    return 0;
  }
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

}  // namespace

std::string HtmlText(absl::string_view text) {
  std::string html;
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    const char c = text[0];
    const bool is_control = static_cast<uint8_t>(c) < 0x20 || c == 0x7F;
    if (length == 0 || is_control) {
      html += kReplacement;
    } else if (absl::string_view("<>&\"'").find(c) != absl::string_view::npos) {
      absl::StrAppend(&html, "&#", static_cast<int>(c), ";");
    } else {
      absl::StrAppend(&html, text.substr(0, length));
    }
    text.remove_prefix(std::max<size_t>(1, length));
  }
  return html;
}

std::string HtmlJson(const nlohmann::json& value) {
  const std::string text = value.dump(/*indent=*/-1, ' ', /*ensure_ascii=*/true,
                                      nlohmann::json::error_handler_t::replace);
  return absl::StrReplaceAll(text, {{"<", "\\u003c"}});
}

}  // namespace page
