// What a run takes: memory and disk, estimated before the first batch.
#ifndef MOCO_TRAINING_FOOTPRINT_H_
#define MOCO_TRAINING_FOOTPRINT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "augment/augmentation.h"
#include "moco/encoder.h"
#include "moco/moco.h"

namespace moco {

struct Footprint {
  double memory = 0;      // bytes, of one process
  double checkpoint = 0;  // bytes, of one file
};

// Of pretraining. `batch`: images of one process in a step. Makes an encoder of these options and
// passes a few images through it to see what a pass keeps alive; InvalidArgument and NotFound when
// a spec is wrong.
absl::StatusOr<Footprint> MeasureFootprint(const MoCoOptions& options,
                                           const augment::ImageType& view, double batch);

// A warning where the machine has less memory than that; empty where it has enough.
std::string MemoryWarning(const Footprint& footprint);

// Lines that say what the run takes, with a warning where the disk of `run_folder` has too little
// room for `checkpoints` files; an empty folder is not looked at.
std::vector<std::string> DescribeFootprint(const Footprint& footprint, int64_t checkpoints,
                                           const std::string& run_folder);

}  // namespace moco

#endif  // MOCO_TRAINING_FOOTPRINT_H_
