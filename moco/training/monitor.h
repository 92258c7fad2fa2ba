// The monitor of pretraining: how well the encoder's features distinguish the classes of labelled
// images, and what can be said of them without labels.
#ifndef MOCO_TRAINING_MONITOR_H_
#define MOCO_TRAINING_MONITOR_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "augment/augmentation.h"
#include "data/dataset.h"
#include "data/loader.h"
#include "moco/communicators/communicator.h"
#include "moco/encoder.h"

namespace moco {

struct MonitorOptions {
  // kNN and probe, on labelled images.
  int64_t knn_every = 0;     // epochs between evaluations; 0: none
  int64_t k = 200;           // neighbours that vote
  double temperature = 0.1;  // of the votes
  bool probe = false;        // also evaluates a linear probe

  // The measures of moco/measures/label_free.h, on images without labels.
  int64_t measures_every = 0;  // epochs between evaluations; 0: none; -1: see MeasuresInterval
  int64_t images = 512;        // size of the sample

  bool bf16 = false;  // the encoder's passes under bfloat16 autocast

  uint64_t seed = 0;  // of the probe, the sample and its views
  int loader_threads = 1;
  int64_t max_bad_images = 0;
};

// The data sets that a monitor uses. They must outlive it.
struct MonitorData {
  const data::Dataset* train = nullptr;  // the images of pretraining
  // Labelled images that vote, and those to classify; null: no kNN.
  const data::Dataset *bank = nullptr, *queries = nullptr;
  // Images that are not trained on, for the measures; null: those are computed on `train`.
  const data::Dataset* held_out = nullptr;
};

inline constexpr int64_t kMeasuredViews = 4;  // augmented views of each image of the sample

// Returns the number of epochs after which the measures of `images` images have taken about a
// twentieth of the time that training on `train_images` images takes; at least 1. A step computes
// an image twice forward and once backward, which is as long as twice forward.
int64_t MeasuresInterval(int64_t images, int64_t train_images);

class Monitor {
 public:
  // `eval_views`: the pipeline of evaluation. `views`: that of pretraining. All arguments must
  // outlive the monitor.
  Monitor(const MonitorOptions& options, const MonitorData& data,
          const augment::Pipeline& eval_views, const augment::Pipeline& views,
          Communicator& communicator);

  // The parts of an evaluation.
  struct Parts {
    bool knn = false, measures = false;
    bool any() const { return knn || measures; }
  };
  Parts on() const { return on_; }

  // The parts with which `epoch` (from 0) of `epochs` ends.
  Parts Due(int64_t epoch, int64_t epochs) const;

  // A line that says on which images the measures are computed, and when; empty if they are not.
  std::string Describe() const;

  struct Result {
    std::optional<double> knn;    // share of queries that are classified correctly, 0 to 1
    std::optional<double> probe;  // the same of the linear probe
    // Names of MeasureMetrics() and finite values; a value that is not finite is left out.
    std::vector<std::pair<std::string, double>> measures;
    std::vector<data::BadImage> bad_images;

    std::string Text() const;          // "kNN 46.7 %  probe 50.9 %"; empty without kNN
    std::string MeasuresText() const;  // "RankMe 52.1 (head 9.3), ..."; empty without measures
  };

  // Measures `encoder` in evaluation mode, on images of `type` on `device`. Collective: all ranks
  // first receive the running statistics of rank 0, so that all measure the same encoder. The
  // sample and its views are the same in every evaluation of a run, on any number of ranks. Errors
  // are those of ExtractFeatures.
  absl::StatusOr<Result> Evaluate(Encoder& encoder, at::Device device, at::ScalarType type,
                                  Parts parts);

  // Duration of the last evaluation of these parts.
  double seconds(Parts parts) const {
    return (parts.knn ? knn_seconds_ : 0) + (parts.measures ? measures_seconds_ : 0);
  }

 private:
  using Network = std::function<at::Tensor(const at::Tensor&)>;
  absl::Status Classify(const Network& features, Result& result);
  absl::Status Measure(const Network& features_and_vectors, int64_t dim, Result& result);

  const MonitorOptions options_;
  const MonitorData data_;
  const augment::Pipeline &eval_views_, &views_;
  Communicator& communicator_;
  std::unique_ptr<const data::Dataset> sample_;
  Parts on_;
  int64_t measures_every_ = 0;
  double knn_seconds_ = 0, measures_seconds_ = 0;
};

}  // namespace moco

#endif  // MOCO_TRAINING_MONITOR_H_
