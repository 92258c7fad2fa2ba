// What pretrain can show before a run, instead of the run: --preview, --dry-run and --find-lr.
#ifndef MOCO_BEFORE_BEFORE_H_
#define MOCO_BEFORE_BEFORE_H_

#include <string>

#include "absl/status/status.h"
#include "moco/training/trainer.h"
#include "moco/training/world.h"

namespace moco {

// Whether one of the flags is given: the program then makes no run folder, and ends.
bool OnlyLooks();

// Checks these flags. InvalidArgument if more than one is given, if a file has an unknown ending,
// or if there are several processes; otherwise the errors of base::CheckNewFile.
absl::Status CheckLook(const World& world);

// Does what the flag says. `place`: where the images are, as text. `run_folder`: of the run; empty:
// a new one in ./runs. Errors are those of PreviewPage, DryRun, FindLr and of writing the file.
absl::Status LookBefore(const TrainerOptions& options, const TrainerData& data,
                        const std::string& place, const std::string& run_folder,
                        const World& world);

}  // namespace moco

#endif  // MOCO_BEFORE_BEFORE_H_
