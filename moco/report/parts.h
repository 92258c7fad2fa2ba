// Parts of the report that other pages have, too.
#ifndef MOCO_REPORT_PARTS_H_
#define MOCO_REPORT_PARTS_H_

#include <string>
#include <vector>

#include "moco/report/pairs.h"

namespace report {

// For page::Document: the styles of all parts, and the script that draws charts. The script reads
// the JSON with the id kCurvesId, which has the form of Curves() (curves.h), and needs the section
// kCurvesSection.
std::string PartsStyle();
std::string CurvesScript();
inline constexpr char kCurvesId[] = "curves";
inline constexpr char kCurvesSection[] =
    "<div class=\"bar\" id=\"curve-bar\"></div><div id=\"charts\"></div>"
    "<noscript>The curves need JavaScript.</noscript>";

// A grid: each original beside its two views. The pictures open when they are clicked.
std::string PairsGrid(const std::vector<Pair>& pairs);

}  // namespace report

#endif  // MOCO_REPORT_PARTS_H_
