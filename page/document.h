// A page in one HTML file that needs no network: what the programs' pages have in common.
#ifndef PAGE_DOCUMENT_H_
#define PAGE_DOCUMENT_H_

#include <string>
#include <utility>
#include <vector>

#include "nlohmann/json.hpp"

namespace page {

struct Document {
  std::string title;  // text
  std::string body;   // HTML
  std::string style = {};
  // Runs after page.js. Empty: the page has no script, not even page.js.
  std::string script = {};
  // For the script: the id of an element, and its JSON.
  std::vector<std::pair<std::string, nlohmann::json>> data = {};
};

// The page, with page.css before its own style and page.js before its own script. A policy in it
// forbids to load anything, whatever the texts contain.
std::string Write(const Document& document);

}  // namespace page

#endif  // PAGE_DOCUMENT_H_
