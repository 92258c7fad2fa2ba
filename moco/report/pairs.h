// The views of a pretraining run as pictures.
#ifndef MOCO_REPORT_PAIRS_H_
#define MOCO_REPORT_PAIRS_H_

#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/dataset.h"
#include "moco/report/run.h"

namespace report {

struct Pair {
  std::string name;
  cv::Mat original, query, key;  // 8-bit RGB
};

struct Pairs {
  std::vector<Pair> pairs;
  std::string note;  // such as that the data have changed; may be empty
};

// The first `count` images of the run's first epoch with both views, as they came before the
// network: the same pixels, but not normalised. Images that cannot be read are left out. `dataset`:
// the run's images; null: they are opened as the run's flags say. FailedPrecondition if the run
// does not say which views it has; otherwise the errors of data::OpenDataset and augment::Pipeline,
// and DataLoss if no image can be read.
absl::StatusOr<Pairs> FirstPairs(const Run& run, const data::Dataset* dataset, size_t count);

}  // namespace report

#endif  // MOCO_REPORT_PAIRS_H_
