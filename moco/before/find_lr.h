// The learning rate range test (lr_search.h) on the images, views and settings of a run.
#ifndef MOCO_BEFORE_FIND_LR_H_
#define MOCO_BEFORE_FIND_LR_H_

#include <string>

#include "absl/status/status.h"
#include "data/dataset.h"
#include "moco/communicators/communicator.h"
#include "moco/training/trainer.h"

namespace moco {

// Fills the queue with keys of the untrained encoder, raises the learning rate from step to step,
// writes the page (lr_page.h) to the new file `path` and prints the suggestion. A queue that would
// take more than 64 steps to fill is made shorter. `place`: where the images are, as text.
// InvalidArgument if the run resumes, because its schedule has begun. Aborted if the loss falls at
// no rate; the page is written nevertheless. Otherwise errors are those of FewSteps and of writing.
absl::Status FindLr(const RunPlan& plan, const data::Dataset& dataset, const std::string& path,
                    const std::string& place, Communicator& communicator);

}  // namespace moco

#endif  // MOCO_BEFORE_FIND_LR_H_
