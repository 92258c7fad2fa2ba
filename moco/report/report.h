// The report of runs: one HTML file that needs no network.
#ifndef MOCO_REPORT_REPORT_H_
#define MOCO_REPORT_REPORT_H_

#include <string>
#include <utility>
#include <vector>

#include "data/dataset.h"
#include "moco/report/run.h"
#include "nlohmann/json.hpp"

namespace report {

// The name of the report that a run writes into its folder when it ends.
inline constexpr char kReportFile[] = "report.html";

struct ReportOptions {
  // The images of the only run, if they are open; null: they are opened as its flags say.
  const data::Dataset* dataset = nullptr;
  // Sections below the runs' own, as HTML, and what their scripts need.
  std::string sections = {}, script = {};
  std::vector<std::pair<std::string, nlohmann::json>> data = {};
};

// runs: at least one. The page shows the verdict and advice in words, the settings, curves with
// values under the pointer and zoom, the views of the first images, damaged images, the environment
// and commands; of several runs a table and common curves. What cannot be shown, such as pictures
// of images that are gone, is left out, and the page says so.
std::string Report(const std::vector<Run>& runs, const ReportOptions& options = {});

}  // namespace report

#endif  // MOCO_REPORT_REPORT_H_
