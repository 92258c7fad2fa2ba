// What a sweep writes: the accuracy of its probes by epoch and, at its end, a table of them.
#ifndef MOCO_REPORT_SWEEP_FILES_H_
#define MOCO_REPORT_SWEEP_FILES_H_

#include <string>

#include "absl/status/status.h"
#include "moco/report/run.h"

namespace report {

// The table of the probes, which sweep writes at its end (moco/measures/probe_grid.h).
inline constexpr char kSweepFile[] = "sweep.csv";

// Reads kEpochsFile and kSweepFile in the folder of `run`, whose settings are known, into `run`.
// One of the two is enough: earlier versions wrote only the table, and a sweep that has not ended
// has none. A last line that is cut is ignored. DataLoss, naming the file and the line, if there is
// neither, or what is there is damaged.
absl::Status ReadSweep(Run& run);

// The best probe of the table or, before there is one, so far, as a sentence.
std::string BestOfSweep(const Run& run);

}  // namespace report

#endif  // MOCO_REPORT_SWEEP_FILES_H_
