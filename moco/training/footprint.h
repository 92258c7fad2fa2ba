// Memory and disk space that a run needs, estimated before the first batch.
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

// Estimates the needs of pretraining. `batch`: images per step in one process. Makes an encoder
// with these options and passes a few images through it to see how much memory a pass keeps.
// InvalidArgument or NotFound if a spec is wrong, or if a part of a batch is too small for batch
// normalisation.
absl::StatusOr<Footprint> MeasureFootprint(const MoCoOptions& options,
                                           const augment::ImageType& view, double batch);

// Returns the machine's memory in bytes.
double PhysicalMemory();

// Returns a warning if the machine has less memory than `footprint` says; otherwise empty.
std::string MemoryWarning(const Footprint& footprint);

// Returns a warning if the disk where `run_folder` is, or will be made, has too little space for
// `checkpoints` files; otherwise, and for an empty `run_folder`, empty.
std::string DiskWarning(const Footprint& footprint, int64_t checkpoints,
                        const std::string& run_folder);

// Returns lines that describe the needs, DiskWarning() among them.
std::vector<std::string> DescribeFootprint(const Footprint& footprint, int64_t checkpoints,
                                           const std::string& run_folder);

}  // namespace moco

#endif  // MOCO_TRAINING_FOOTPRINT_H_
