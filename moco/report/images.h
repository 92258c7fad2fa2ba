// The images of a run.
#ifndef MOCO_REPORT_IMAGES_H_
#define MOCO_REPORT_IMAGES_H_

#include <memory>

#include "absl/status/statusor.h"
#include "data/dataset.h"
#include "moco/report/run.h"

namespace report {

// The channels of the images, an option of the run's backbone; 3 if they are not known.
int Channels(const Run& run);

// Opens `split` of the run's images, as the run did. The errors are those of data::OpenDataset.
absl::StatusOr<std::unique_ptr<data::Dataset>> OpenImages(const Run& run, data::Split split);

}  // namespace report

#endif  // MOCO_REPORT_IMAGES_H_
