// Tables of runs, and of the classifiers of a sweep, as HTML. They sort by any column.
#ifndef MOCO_REPORT_RUNS_TABLE_H_
#define MOCO_REPORT_RUNS_TABLE_H_

#include <string>
#include <vector>

#include "moco/report/run.h"

namespace report {

// The word of the run's verdict.
std::string Badge(const Run& run);

// The last values of the runs, and the settings that differ.
std::string RunsTable(const std::vector<Run>& runs);

// The table that a sweep has written; empty before its end.
std::string SweepTable(const Run& run);

}  // namespace report

#endif  // MOCO_REPORT_RUNS_TABLE_H_
