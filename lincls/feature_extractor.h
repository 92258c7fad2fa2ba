// Features of a data set's images by a pretrained encoder, written to a folder batch by batch.
#ifndef LINCLS_FEATURE_EXTRACTOR_H_
#define LINCLS_FEATURE_EXTRACTOR_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "augment/augmentation.h"
#include "data/dataset.h"
#include "data/loader.h"
#include "lincls/encoders/feature_network.h"
#include "lincls/tables/columns.h"
#include "lincls/tables/feature_folder.h"
#include "tensors/npy.h"

namespace lincls {

struct ExtractionOptions {
  data::DataSource source;            // its channels are those of the checkpoint
  std::string split = "pretraining";  // data::ReadSplit
  std::string checkpoint;             // a file
  moco::EncoderChoice encoder;
  c10::Device device = c10::kCPU;
  bool bf16 = false;                  // FrozenBackbone::To
  std::string eval_views;             // spec; empty: as EvaluationViews finds
  std::string features = "backbone";  // as for FeatureNetwork::Choose
  tensors::NpyType type = tensors::NpyType::kFloat32;
  int64_t batch_size = 250;  // at least 1; a smaller data set forms one batch
  int loader_threads = 1;
  int64_t max_bad_images = 100;

  // Columns of numbers beside the features (columns.h), separated by commas; empty: none.
  std::string columns;
  std::string views, loss;  // specs; empty: the checkpoint's
  int64_t augmented_views = 4;
  uint64_t seed = 0;
};

class FeatureExtractor {
 public:
  // Checks everything except for damaged images. Errors are those of the parts, with the
  // checkpoint's name if it is the cause; InvalidArgument for an unknown column, and for two images
  // with the same name or a line break in a name, because the names are written to a list.
  static absl::StatusOr<std::unique_ptr<FeatureExtractor>> Create(const ExtractionOptions& options);

  // Returns all settings that determine the numbers.
  FeatureFolderOptions FolderOptions() const;

  // Computes the images that the folder, opened with FolderOptions(), does not contain yet, and
  // marks it as finished. Damaged images are left out. After a stop signal (base/signals.h) the
  // folder can be continued later. InvalidArgument, naming the image, if a feature is not finite;
  // DataLoss if more than max_bad_images images cannot be read, or if none can.
  absl::Status Run(FeatureFolder& folder) const;

  const std::string& checkpoint() const { return options_.checkpoint; }
  const data::Opened& images() const { return opened_; }
  const std::vector<std::string>& glance() const { return glance_; }  // data::Glance at images()
  const FeatureNetwork& network() const { return *network_; }
  const augment::Pipeline& views() const { return *views_; }
  const std::vector<std::string>& columns() const { return columns_; }
  // Null without columns.
  const ImageColumns* image_columns() const { return image_columns_.get(); }
  std::string device() const;  // "cpu", "cuda"

 private:
  explicit FeatureExtractor(const ExtractionOptions& options) : options_(options) {}

  absl::StatusOr<std::unique_ptr<data::Loader>> StartLoader(const FeatureFolder& folder) const;
  absl::StatusOr<FeatureFolder::Batch> Compute(const data::Batch& batch, int64_t first) const;
  absl::Status CheckFinite(const std::string& what, const std::vector<float>& values, int64_t width,
                           const std::vector<std::string>& files) const;

  const ExtractionOptions options_;
  std::vector<std::string> columns_;
  std::string weights_;  // fingerprint of the checkpoint's tensors
  std::unique_ptr<FeatureNetwork> network_;
  data::Opened opened_;
  std::vector<std::string> glance_;
  std::string names_folder_;  // common beginning of all images' names
  std::unique_ptr<augment::Pipeline> views_;
  int64_t batch_size_ = 0;
  std::unique_ptr<ImageColumns> image_columns_;  // null without columns
};

}  // namespace lincls

#endif  // LINCLS_FEATURE_EXTRACTOR_H_
