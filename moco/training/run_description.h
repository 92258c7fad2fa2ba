// The files of a run folder that describe how the run was started.
#ifndef MOCO_TRAINING_RUN_DESCRIPTION_H_
#define MOCO_TRAINING_RUN_DESCRIPTION_H_

#include <string>

#include "absl/status/status.h"
#include "base/run_folder.h"

namespace moco {

// Writes flags.txt (`flagfile`, as returned by base::Flagfile) and environment.json: the machine,
// LibTorch and the threads.
absl::Status WriteRunDescription(const base::RunFolder& folder, const std::string& flagfile,
                                 int loader_threads);

// Returns the CPU and the instruction set that LibTorch uses, which together with the number of
// threads determine how results are rounded.
std::string CpuForResults();

}  // namespace moco

#endif  // MOCO_TRAINING_RUN_DESCRIPTION_H_
