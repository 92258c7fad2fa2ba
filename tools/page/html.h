// Text and data inside of HTML, whatever bytes they are.
#ifndef TOOLS_PAGE_HTML_H_
#define TOOLS_PAGE_HTML_H_

#include <string>

#include "absl/strings/string_view.h"
#include "nlohmann/json_fwd.hpp"

namespace page {

// `text` as HTML shows it, in an element or in a quoted attribute: < > & " ' are escaped; what is
// no UTF-8, and control characters, are shown as the replacement character.
std::string HtmlText(absl::string_view text);

// `value` for <script type="application/json">, in ASCII; of text the same is replaced, and no
// </script> or comment can begin in it.
std::string HtmlJson(const nlohmann::json& value);

// A page as one file that needs no network, readable in light and in dark.
struct Document {
  std::string title = {};
  std::string style = {};   // CSS beside that of page.css
  std::string body = {};    // HTML
  std::string script = {};  // JavaScript; may be empty
};
std::string WriteDocument(const Document& document);

}  // namespace page

#endif  // TOOLS_PAGE_HTML_H_
