// Columns of a feature table that need the images and the checkpoint, for choosing images to label:
// how much the augmented views of an image differ, and its loss in the pretraining task.
#ifndef LINCLS_TABLES_COLUMNS_H_
#define LINCLS_TABLES_COLUMNS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/dataset.h"
#include "lincls/tables/feature_table.h"
#include "moco/checkpoints/checkpoint.h"

namespace lincls {

class FrozenBackbone;
class FrozenHead;

// kDisagreementColumn: 1 - the mean cosine similarity over all pairs of the image's augmented
// views, in the output of the head, or of the backbone if the checkpoint has no head. 0 (all views
// equal) to about 1.
//
// kAlignmentColumn: the mean squared distance between two of these views on the unit sphere
// (moco::Alignments), 0 to 4. It is twice the disagreement.
//
// kMocoLossColumn: the loss (equation 1 of the MoCo paper) with the image's first view as the query
// and its second view as the key, against the checkpoint's queue. Both encoders are in evaluation
// mode, so that other images of a batch have no influence.
struct ImageColumnsOptions {
  std::vector<std::string> columns;  // names of ImageColumns::Names(), each once
  std::string views;                 // the pipeline; empty: the checkpoint's
  std::string loss;                  // the spec; empty: the checkpoint's
  int64_t augmented_views = 4;       // views per image that are compared; at least 2
  uint64_t seed = 0;                 // determines the crops, together with image and view
  std::string arch;                  // as in moco::EncoderChoice

  int64_t batch_size = 250;
  int loader_threads = 1;
};

class ImageColumns {
 public:
  // The names of all columns.
  static const std::vector<std::string>& Names();

  // `backbone` and `head` (null: the checkpoint has none) are those of the query encoder; the
  // columns are computed on their device. They and the data set must outlive the object. NotFound,
  // to be read after the checkpoint's name, says what a column requires and the checkpoint lacks: a
  // head, a key encoder, a queue. InvalidArgument for specs that cannot be parsed.
  static absl::StatusOr<std::unique_ptr<ImageColumns>> Create(const ImageColumnsOptions& options,
                                                              const moco::Checkpoint& checkpoint,
                                                              const FrozenBackbone& backbone,
                                                              const FrozenHead* head,
                                                              const data::Dataset& dataset);
  virtual ~ImageColumns() = default;

  // Starts at batch `step`, counted from 0. Called once, before Next().
  virtual absl::Status Start(int64_t step) = 0;

  // Returns the values of each column for the next batch of images, in the order of the data set.
  // An image that cannot be read has the values of the image that replaces it.
  virtual absl::StatusOr<std::vector<std::vector<float>>> Next() = 0;

  // The canonical specs in use: the options', or the checkpoint's where an option is empty.
  virtual const std::string& views() const = 0;
  virtual const std::string& loss() const = 0;  // empty if no column needs it
};

}  // namespace lincls

#endif  // LINCLS_TABLES_COLUMNS_H_
