// The report of runs: one HTML file that needs no network.
#ifndef MOCO_REPORT_REPORT_H_
#define MOCO_REPORT_REPORT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "data/dataset.h"
#include "moco/report/image_features.h"
#include "moco/report/run.h"

namespace report {

// The name of the report that a run writes into its folder when it ends.
inline constexpr char kReportFile[] = "report.html";

struct ReportOptions {
  // The images of the only run, if they are open; null: they are opened as its flags say.
  const data::Dataset* dataset = nullptr;
  // Map and neighbours; empty: those of the only run's own sample (sample.h), if it has one.
  FeatureSections features = {};
};

// runs: at least one. The page shows the verdict and advice in words, the settings, curves with
// values under the pointer and zoom, the views of the first images, a map of the features, damaged
// images, the environment and commands; of classifiers the confusion matrix and the accuracies of
// the classes; of several runs a table and common curves. What cannot be shown, such as pictures of
// images that are gone, is left out, and the page says so.
std::string Report(const std::vector<Run>& runs, const ReportOptions& options = {});

// Writes the report of the run in `folder` into it. `dataset` as in ReportOptions. The errors are
// those of ReadRun and of the file, and what CatchExceptions (base/exit_code.h) makes of
// exceptions.
absl::Status WriteReport(const std::string& folder, const data::Dataset* dataset = nullptr);

}  // namespace report

#endif  // MOCO_REPORT_REPORT_H_
