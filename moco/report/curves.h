// The curves of runs, as data for the page's script.
#ifndef MOCO_REPORT_CURVES_H_
#define MOCO_REPORT_CURVES_H_

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "moco/report/run.h"

namespace report {

// The points of `series` that a drawing needs: of each of `bins` equal ranges of steps the first,
// the last, the smallest and the largest value, so that peaks stay. All points if they are no more
// than 4 * bins.
Series Thin(const Series& series, size_t bins);

// {"runs": [{"name", "perEpoch"}],
//  "charts": [{"title", "note", "percent", "log", "xTitle",
//              "series": [{"run", "name", "thin", "x", "y"}],
//              "levels": [{"run", "name", "y"}], "spans": [{"run", "name", "from", "to"}]}]}
//
// `perEpoch`: steps of an epoch, 0 if unknown. `percent`: y is a share, to be shown as a
// percentage. `log`: x, which is then `xTitle` instead of the step, is on a logarithmic scale.
// `thin`: many values that vary. A number that no chart is for has a chart of its own, so that
// those of other versions are there, too. A chart has at most about 25,000 points, whatever the
// number of runs.
nlohmann::json Curves(const std::vector<Run>& runs);

}  // namespace report

#endif  // MOCO_REPORT_CURVES_H_
