#include "moco/report/parts.h"

#include "absl/strings/str_cat.h"
#include "moco/report/picture.h"

namespace report {
namespace {

constexpr char kStyle[] =
#include "moco/report/report.css.inc"
    ;
constexpr char kScript[] =
#include "moco/report/report.js.inc"
    ;

}  // namespace

std::string PartsStyle() { return kStyle; }

std::string CurvesScript() { return kScript; }

std::string PairsGrid(const std::vector<Pair>& pairs) {
  std::string html = "<div class=\"pairs\">";
  for (const Pair& pair : pairs) {
    absl::StrAppend(&html, "<figure>", Picture(pair.original, pair.name + ": original"),
                    Picture(pair.query, pair.name + ": first view (query)"),
                    Picture(pair.key, pair.name + ": second view (key)"), "</figure>");
  }
  return html + "</div>";
}

}  // namespace report
