#include "page/document.h"

#include "absl/strings/str_cat.h"
#include "page/html.h"

namespace page {
namespace {

constexpr char kStyle[] =
#include "page/page.css.inc"
    ;
constexpr char kScript[] =
#include "page/page.js.inc"
    ;

}  // namespace

std::string Write(const Document& document) {
  const bool has_script = !document.script.empty();
  std::string html = absl::StrCat(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
      "style-src 'unsafe-inline'",
      has_script ? "; script-src 'unsafe-inline'" : "",
      "\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
      HtmlText(document.title), "</title>\n<style>\n", kStyle, document.style,
      "</style>\n</head>\n<body>\n", document.body);
  if (has_script) {
    absl::StrAppend(&html,
                    "<div id=\"tip\" aria-hidden=\"true\"><canvas></canvas><span></span></div>\n");
    for (const auto& [id, value] : document.data) {
      absl::StrAppend(&html, "<script type=\"application/json\" id=\"", id, "\">", HtmlJson(value),
                      "</script>\n");
    }
    absl::StrAppend(&html, "<script>\n", kScript, document.script, "</script>\n");
  }
  return html + "</body>\n</html>\n";
}

}  // namespace page
