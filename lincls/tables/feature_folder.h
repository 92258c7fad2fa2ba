// A folder of features while it is written (its files: lincls/tables/feature_table.h): batch after
// batch, and gone on with after any stop as if there had been none.
//
// features.json says how far it is; what the other files have beyond that, of a process that was
// killed, is cut off.
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
  // What decides the numbers, in order; the file says it, and a folder where it is otherwise is not
  // gone on with. "features" maps each matrix to its columns, "columns" names those of the list.
  nlohmann::ordered_json settings;
  tensors::NpyType type = tensors::NpyType::kFloat32;
  double seconds_between_syncs = 2;
};

class FeatureFolder {
 public:
  // Begins in `path`, or goes on there. Nothing is made or changed where an error is returned:
  // InvalidArgument naming the first setting that is not the folder's; AlreadyExists where other
  // files have the names; DataLoss where the folder's are not what they were; those of
  // base::RunFolder::Open.
  static absl::StatusOr<std::unique_ptr<FeatureFolder>> Open(const std::string& path,
                                                             const FeatureFolderOptions& options);

  // How far it is.
  int64_t done() const { return done_; }  // images of the data set, damaged ones included
  int64_t rows() const { return rows_; }
  bool finished() const { return finished_; }
  const std::vector<data::BadImage>& bad_images() const { return bad_images_; }

  // The next batch: `images` of the data set, of which `files` (with `labels`, -1: none) could be
  // read; of those each matrix's rows, and the values of each column. Durable at the next Sync(),
  // which comes by itself every few seconds.
  struct Batch {
    int64_t images = 0;
    std::vector<std::string> files;
    std::vector<int> labels;
    std::vector<std::vector<float>> matrices;  // in the order of the settings' "features"
    std::vector<std::vector<float>> columns;
    std::vector<data::BadImage> bad_images;  // those that are known already are passed over
  };
  absl::Status Append(const Batch& batch);
  absl::Status Sync();

  // All images are done.
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
