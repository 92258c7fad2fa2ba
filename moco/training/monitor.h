// The monitor of pretraining: how well the encoder's features distinguish the classes of labelled
// images.
#ifndef MOCO_TRAINING_MONITOR_H_
#define MOCO_TRAINING_MONITOR_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "augment/augmentation.h"
#include "data/dataset.h"
#include "data/loader.h"
#include "moco/communicators/communicator.h"
#include "moco/encoder.h"

namespace moco {

struct MonitorOptions {
  int64_t every = 0;         // epochs between evaluations; 0: none
  int64_t k = 200;           // neighbours that vote
  double temperature = 0.1;  // of the votes
  bool probe = false;        // also evaluates a linear probe
  uint64_t seed = 0;         // of the probe
  int loader_threads = 1;
  int64_t max_bad_images = 0;
};

class Monitor {
 public:
  // `bank` holds the labelled images that vote, `queries` the images to classify; if they are null,
  // the monitor is off. All arguments must outlive the monitor.
  Monitor(const MonitorOptions& options, const data::Dataset* bank, const data::Dataset* queries,
          const augment::Pipeline& views, Communicator& communicator);

  bool on() const { return queries_ != nullptr && options_.every > 0; }

  // Whether `epoch` (from 0) of `epochs` ends with an evaluation.
  bool IsDue(int64_t epoch, int64_t epochs) const;

  struct Result {
    double knn = 0;               // share of queries that are classified correctly, 0 to 1
    std::optional<double> probe;  // the same of the linear probe
    std::vector<data::BadImage> bad_images;

    std::string Text() const;  // "kNN 46.7 %  probe 50.9 %"
  };

  // Measures `encoder` in evaluation mode, on images of `type` on `device`. Collective: all ranks
  // first receive the running statistics of rank 0, so that all measure the same encoder. Errors
  // are those of ExtractFeatures.
  absl::StatusOr<Result> Evaluate(Encoder& encoder, at::Device device, at::ScalarType type);

  double seconds() const { return seconds_; }  // duration of the last evaluation

 private:
  const MonitorOptions options_;
  const data::Dataset *const bank_, *const queries_;
  const augment::Pipeline& views_;
  Communicator& communicator_;
  double seconds_ = 0;
};

}  // namespace moco

#endif  // MOCO_TRAINING_MONITOR_H_
