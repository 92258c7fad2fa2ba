// Text and data inside of HTML, whatever bytes they are.
#ifndef TOOLS_SELECTION_HTML_H_
#define TOOLS_SELECTION_HTML_H_

#include <string>

#include "absl/strings/string_view.h"
#include "nlohmann/json_fwd.hpp"

namespace selection {

// `text` as HTML shows it, in an element or in a quoted attribute: < > & " ' are escaped; what is
// no UTF-8, and control characters, are shown as the replacement character.
std::string HtmlText(absl::string_view text);

// `value` for <script type="application/json">, in ASCII; of text the same is replaced, and no
// </script> or comment can begin in it.
std::string HtmlJson(const nlohmann::json& value);

}  // namespace selection

#endif  // TOOLS_SELECTION_HTML_H_
