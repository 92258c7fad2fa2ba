// The program //tools:doctor, but for its flags.
#ifndef TOOLS_DOCTOR_DOCTOR_H_
#define TOOLS_DOCTOR_DOCTOR_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tools/doctor/advice.h"
#include "tools/doctor/cost.h"
#include "tools/doctor/examine.h"
#include "tools/doctor/findings.h"

namespace doctor {

struct DoctorOptions {
  OpenSplit open;
  std::string path;                     // of the data, for the command lines
  std::vector<std::string> data_flags;  // that say how it is read, for the command lines
  std::string folder;                   // where a run would lie
  ExamineOptions examine;
  FindingOptions findings;
  Wishes wishes;
  std::string page, bad_list, duplicates_list;  // files to write, which are new; empty: none
};

// Prints what it finds. DataLoss, after everything is printed and written, if a run on this data
// would fail; NotFound if there is no data at the path; other errors if the examination cannot be
// done. `cost_of`: null: what a run takes is not said.
absl::Status RunDoctor(const DoctorOptions& options, const CostOf& cost_of);

}  // namespace doctor

#endif  // TOOLS_DOCTOR_DOCTOR_H_
