// What features show of an encoder: a map of the images, and their nearest neighbours.
#ifndef MOCO_REPORT_IMAGE_FEATURES_H_
#define MOCO_REPORT_IMAGE_FEATURES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "data/dataset.h"
#include "nlohmann/json.hpp"
#include "opencv2/core/mat.hpp"
#include "tensors/npy.h"

namespace report {

// N images with the features that an encoder gives them.
struct ImageFeatures {
  tensors::NpyMatrix now;  // N x D
  std::optional<tensors::NpyMatrix> before =
      {};                                // N x any, by the same encoder before it was trained
  std::string before_name = "before";    // what the page calls it
  std::vector<std::string> names = {};   // N
  std::vector<std::string> labels = {};  // N; empty: none

  const data::Dataset* dataset = nullptr;  // null: the images are gone
  std::vector<int64_t> indices = {};       // N, into the data set
  std::string no_dataset = {};             // why it is null
};

struct FeatureSections {
  std::string section = {};  // HTML
  std::string script = {};
  std::vector<std::pair<std::string, nlohmann::json>> data = {};  // for the script
};

// The map and the neighbours. Without the images they have names instead of pictures, and say why.
// InvalidArgument, naming the file, the row and the image, if a feature is not finite.
absl::StatusOr<FeatureSections> ShowFeatures(const ImageFeatures& features);

// The parts of ShowFeatures:

// The first two principal components, coloured by label or by cluster.
absl::StatusOr<FeatureSections> FeatureMap(const ImageFeatures& features);

// The most similar images to a dozen: the first of each class (of more than twelve classes evenly
// spaced ones), and behind them evenly spaced images.
absl::StatusOr<std::string> NeighbourSection(const ImageFeatures& features);

// `count` numbers from 0 to size - 1, evenly spaced.
std::vector<int64_t> Spaced(int64_t size, int64_t count);

// Rows of the matrix as unit vectors, n x D float32; rows of zeros stay. InvalidArgument, naming
// the file, the row and the image, if a value is not finite.
absl::StatusOr<cv::Mat> UnitRows(const ImageFeatures& features, const tensors::NpyMatrix& matrix,
                                 const std::vector<int64_t>& rows);

}  // namespace report

#endif  // MOCO_REPORT_IMAGE_FEATURES_H_
