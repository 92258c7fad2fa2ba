// A sample of the images with the encoder's features, at the start of a run and now. The run's
// report shows them as a map and as nearest neighbours (moco/report/sample.h).
#ifndef MOCO_TRAINING_REPORT_SAMPLE_H_
#define MOCO_TRAINING_REPORT_SAMPLE_H_

#include <ATen/core/Tensor.h>

#include <chrono>
#include <cstdint>

#include "absl/status/status.h"
#include "augment/augmentation.h"
#include "base/run_folder.h"
#include "data/dataset.h"
#include "moco/communicators/communicator.h"
#include "moco/encoder.h"

namespace moco {

class ReportSample {
 public:
  // At most 1000 images of the data set, evenly spaced. All arguments must outlive the sample.
  // `views` are those of evaluation. Each rank computes at most `images_at_a_time`, so that no more
  // memory is needed than for a step on as many.
  ReportSample(const data::Dataset& dataset, const augment::Pipeline& views, int loader_threads,
               int64_t images_at_a_time, Communicator& communicator);

  // Whether another sample now would keep the share of the time for samples below 2 %. Collective:
  // rank 0 decides.
  bool IsDue() const;

  // Computes the features of `encoder` in evaluation mode, on images of `type` on `device`, and
  // writes them to `file`, kSampleStart or kSampleNow. Collective: all ranks first receive the
  // running statistics of rank 0; rank 0 writes to `folder`, the others pass null. Errors are
  // those of ExtractFeatures and of the files.
  absl::Status Take(Encoder& encoder, at::Device device, at::ScalarType type,
                    const base::RunFolder* folder, const char* file);

 private:
  const data::Dataset& dataset_;
  const augment::Pipeline& views_;
  const int loader_threads_;
  const int64_t images_at_a_time_;
  Communicator& communicator_;
  std::chrono::steady_clock::time_point taken_;  // the end of the last sample
  double seconds_ = 0;                           // that it took
};

}  // namespace moco

#endif  // MOCO_TRAINING_REPORT_SAMPLE_H_
