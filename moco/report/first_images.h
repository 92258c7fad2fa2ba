// The images with which a pretraining run begins, and how its views are made of them.
#ifndef MOCO_REPORT_FIRST_IMAGES_H_
#define MOCO_REPORT_FIRST_IMAGES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "augment/augmentation.h"
#include "base/rng.h"
#include "data/dataset.h"

namespace report {

// The random numbers of view 0 (query) or 1 (key) of an image of the first epoch.
base::Rng ViewStream(uint64_t seed, int64_t index, size_t view);

struct FirstImage {
  int64_t index = 0;  // in the data set
  std::string name;
  cv::Mat original;                            // as it was decoded
  std::array<std::vector<cv::Mat>, 2> traces;  // of query and key: Pipeline::Trace
};

// Calls `visit` with the first `count` images of the first epoch of a run with these data and views
// and this seed, in the order and with the random numbers of the loader. Images that cannot be read
// are left out. DataLoss if none of the first 2 * count can be read.
absl::Status ForFirstImages(const data::Dataset& dataset, const augment::Pipeline& views,
                            uint64_t seed, size_t count,
                            const std::function<void(const FirstImage&)>& visit);

}  // namespace report

#endif  // MOCO_REPORT_FIRST_IMAGES_H_
