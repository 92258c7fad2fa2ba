// What a run folder keeps about how the run was made.
#ifndef MOCO_TRAINING_RUN_DESCRIPTION_H_
#define MOCO_TRAINING_RUN_DESCRIPTION_H_

#include <string>

#include "absl/status/status.h"
#include "base/run_folder.h"

namespace moco {

// Writes flags.txt (`flagfile`, as base::Flagfile gives it) and environment.json: the machine,
// LibTorch and the threads.
absl::Status WriteRunDescription(const base::RunFolder& folder, const std::string& flagfile,
                                 int loader_threads);

// What decides, with the number of threads, how results are rounded: the CPU, and the instructions
// that LibTorch takes of it.
std::string CpuForResults();

}  // namespace moco

#endif  // MOCO_TRAINING_RUN_DESCRIPTION_H_
