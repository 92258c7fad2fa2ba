// Numbers of an image that need the image and the checkpoint, for choosing what to label: how much
// its augmented views disagree, and its loss in the task of pretraining.
#ifndef LINCLS_TABLES_COLUMNS_H_
#define LINCLS_TABLES_COLUMNS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/dataset.h"
#include "moco/checkpoints/checkpoint.h"

namespace lincls {

class FrozenBackbone;
class FrozenHead;

// disagreement: 1 - the mean cosine similarity of all pairs of the image's augmented views, in the
//   head's output, or in the backbone's where the checkpoint has no head. 0 (all alike) to about 1.
// moco_loss: the loss (equation 1 of the MoCo paper) of the image's first view as a query, by the
//   query encoder, with its second view as the key, by the key encoder, against the checkpoint's
//   queue. Both encoders in evaluation mode, so that other images of a batch do not matter.
inline constexpr char kDisagreement[] = "disagreement";
inline constexpr char kMocoLoss[] = "moco_loss";

struct EnergyOptions {
  std::vector<std::string> columns;  // of the two, at least one
  std::string views;                 // the pipeline; empty: the checkpoint's
  std::string loss;                  // the spec; empty: the checkpoint's
  int64_t augmented_views = 4;       // of an image, for disagreement; at least 2
  uint64_t seed = 0;                 // with the image and the view, decides its crops
  std::string arch;                  // as for FrozenBackbone::Create

  int64_t batch_size = 250;
  int loader_threads = 1;
};

class Energies {
 public:
  // The data set, the backbone and the head (null: there is none) must outlive it; they are the
  // query encoder's, and it computes on their device. NotFound, to be read after the checkpoint's
  // name, says what a column wants and the checkpoint lacks: a head, a key encoder, a queue;
  // InvalidArgument of the specs.
  static absl::StatusOr<std::unique_ptr<Energies>> Create(const EnergyOptions& options,
                                                          const moco::Checkpoint& checkpoint,
                                                          const FrozenBackbone& backbone,
                                                          const FrozenHead* head,
                                                          const data::Dataset& dataset);
  virtual ~Energies() = default;

  // Begins with batch `step`, counted from 0. Once, before Next().
  virtual absl::Status Start(int64_t step) = 0;

  // Of the next batch of images in the data set's order, for each column the value of each image.
  // Those that cannot be read have another's.
  virtual absl::StatusOr<std::vector<std::vector<float>>> Next() = 0;

  // What was taken from the checkpoint where the options said nothing: canonical specs.
  virtual const std::string& views() const = 0;
  virtual const std::string& loss() const = 0;  // empty where no column needs it
};

}  // namespace lincls

#endif  // LINCLS_TABLES_COLUMNS_H_
