// Text and data inside HTML, whatever bytes they contain.
#ifndef PAGE_HTML_H_
#define PAGE_HTML_H_

#include <string>

#include "absl/strings/string_view.h"
#include "nlohmann/json_fwd.hpp"

namespace page {

// Returns `text` for an HTML element or a quoted attribute: < > & " ' are escaped, and control
// characters and bytes that are not UTF-8 become the replacement character.
std::string HtmlText(absl::string_view text);

// Returns `value` for <script type="application/json">, in ASCII. The same characters of its texts
// are replaced, and no </script> or comment can begin in it.
std::string HtmlJson(const nlohmann::json& value);

}  // namespace page

#endif  // PAGE_HTML_H_
