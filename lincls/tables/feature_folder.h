// Writes a folder of features batch by batch (for its files see lincls/tables/feature_table.h).
// After any stop the folder can be continued as if there had been no stop.
//
// features.json states the progress. What the other files contain beyond that, because a process
// was killed, is cut off.
#ifndef LINCLS_TABLES_FEATURE_FOLDER_H_
#define LINCLS_TABLES_FEATURE_FOLDER_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/files.h"
#include "base/run_folder.h"
#include "data/dataset.h"
#include "data/loader.h"
#include "tensors/npy.h"

namespace lincls {

struct FeatureFolderOptions {
  // The settings that determine the numbers, in order. The file holds them, and a folder with other
  // settings is not continued. "features" maps each matrix to its number of columns, "columns"
  // names those of the list.
  nlohmann::ordered_json settings;
  tensors::NpyType type = tensors::NpyType::kFloat32;
  double seconds_between_syncs = 2;
};

class FeatureFolder {
 public:
  // Starts a folder at `path`, or continues it. If an error is returned, nothing has been created
  // or changed: InvalidArgument, naming the first setting that differs from the folder's;
  // AlreadyExists if other files have the names; DataLoss if the folder's files have been damaged;
  // those of base::RunFolder::Open.
  static absl::StatusOr<std::unique_ptr<FeatureFolder>> Open(const std::string& path,
                                                             const FeatureFolderOptions& options);

  // The progress.
  int64_t done() const { return done_; }  // images of the data set, including damaged ones
  int64_t rows() const { return rows_; }
  bool finished() const { return finished_; }
  const std::vector<data::BadImage>& bad_images() const { return bad_images_; }

  // The next batch: `images` of the data set, of which `files` (with `labels`, -1: none) could be
  // read, and for these the rows of each matrix and the values of each column. It is durable after
  // the next Sync(), which Append calls every few seconds.
  struct Batch {
    int64_t images = 0;
    std::vector<std::string> files;
    std::vector<int> labels;
    std::vector<std::vector<float>> matrices;  // in the order of "features" in the settings
    std::vector<std::vector<float>> columns;
    std::vector<data::BadImage> bad_images;  // images that are already known are skipped
  };
  absl::Status Append(const Batch& batch);
  absl::Status Sync();

  // Marks the folder as complete.
  absl::Status Finish();

 private:
  FeatureFolder(base::RunFolder folder, const FeatureFolderOptions& options)
      : folder_(std::move(folder)), options_(options) {}

  absl::Status WriteDescription();

  base::RunFolder folder_;
  const FeatureFolderOptions options_;
  std::vector<std::unique_ptr<tensors::NpyWriter>> matrices_;
  std::unique_ptr<base::GrowingFile> list_;
  int64_t done_ = 0, rows_ = 0;
  bool finished_ = false;
  std::vector<data::BadImage> bad_images_;
  std::chrono::steady_clock::time_point synced_ = std::chrono::steady_clock::now();
};

}  // namespace lincls

#endif  // LINCLS_TABLES_FEATURE_FOLDER_H_
