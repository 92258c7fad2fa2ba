// Datasets: where samples come from, as plugins.
#ifndef DATA_DATASET_H_
#define DATA_DATASET_H_

#include <cstdint>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "registry/registry.h"

namespace data {

// A fixed list of images, each perhaps with a label. Thread-safe once made.
class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual int64_t size() const = 0;  // at least 1

  // The image at `index` (0 to size() - 1), decoded: RGB, 8 bits a channel (CV_8UC3). DataLoss,
  // naming the image and what is wrong, when it cannot be read; other images stay readable.
  virtual absl::StatusOr<cv::Mat> Image(int64_t index) const = 0;

  // A name that a person finds the image by: a path, or an entry in an archive.
  virtual std::string Name(int64_t index) const = 0;

  // The class, an index into classes(); -1 when the image has none.
  virtual int Label(int64_t index) const = 0;

  // Names of the classes, sorted; empty for unlabelled data.
  virtual const std::vector<std::string>& classes() const = 0;
};

// Made from a spec and the place that the user named (a folder or a file).
using DatasetRegistry = registry::Registry<Dataset, const std::string&>;
DatasetRegistry& Datasets();

// The spec of the dataset plugin that reads what lies at `path`: `tar` for a .tar file or a folder
// of them, `image_folder` for a folder of images. NotFound or InvalidArgument, with what was looked
// for, otherwise.
absl::StatusOr<std::string> DetectDataset(const std::string& path);

// The data set at `path`, by the plugin that DetectDataset names.
absl::StatusOr<std::unique_ptr<Dataset>> OpenDataset(const std::string& path);

// The same, for images that must each have a class, of at least two. InvalidArgument, naming the
// first image without one, otherwise.
absl::StatusOr<std::unique_ptr<Dataset>> OpenLabelledDataset(const std::string& path);

}  // namespace data

#endif  // DATA_DATASET_H_
