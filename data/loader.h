// The loader: worker threads that decode images and make views, a few batches ahead of the training
// step.
//
// Each image is decoded once for all of its views. A batch is written into preallocated memory of a
// bounded ring, in the network's layout (N x H x W x C), and is handed out without a copy. Views of
// 8 bits stay bytes, a quarter of the floats that a network computes with.
//
// The contents of a batch are a function of (seed, step) alone: the order is one of (seed, epoch),
// the crops are one of (seed, epoch, sample, view). The number of threads changes only the time.
#ifndef DATA_LOADER_H_
#define DATA_LOADER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/rng.h"
#include "data/dataset.h"

namespace data {

// Returns one view of `image`: rows x cols x channels, CV_8U, or CV_32F with values from 0 to 1 or
// as the network takes them. All randomness comes from `rng`.
using ViewFunction = std::function<cv::Mat(const cv::Mat& image, base::Rng& rng)>;

struct LoaderOptions {
  int64_t batch_size = 0;  // of all ranks together
  int rows = 0, cols = 0;  // of a view
  int channels = 3;
  std::vector<ViewFunction> views;  // one or two: query and key
  bool shuffle = true;              // false: every epoch has the order of the data set
  bool drop_last = true;            // false: the last batch of an epoch may be smaller
  uint64_t seed = 0;
  int threads = 1;         // 0: Next() does the work on the caller's thread
  int batches_ahead = 3;   // the ring's size, at least 1
  int64_t first_step = 0;  // of a resumed run; step = epoch * steps_per_epoch + i
  int64_t last_step = 0;   // one past the last
  // If several ranks share each batch: this loader makes the batch's rows rank, rank + ranks, ...,
  // with the samples and crops that a single process would give them.
  int64_t rank = 0, ranks = 1;
  // If the second view shows other rows of the batch: row i has the view of row [i] of the result.
  // The images of the two views are then decoded separately. Null: both views show the same row.
  std::function<std::vector<int64_t>(int64_t step)> second_view_order;
  // Returns memory for views, aligned to 16 bytes or more, which lives as long as the pointer.
  // Called by several threads. Null: ordinary memory.
  std::function<std::shared_ptr<void>(size_t bytes)> allocate;
  int64_t max_bad_images = 0;   // Next() fails if more images than this are damaged
  std::set<int64_t> known_bad;  // indices of those that a resumed run found earlier; they count
};

// One batch. Valid until the next call of Next().
struct Batch {
  int64_t step = 0, epoch = 0;
  int64_t size = 0;  // rows of this rank; may be 0 in a smaller last batch
  // Of each view: (size * rows) x cols x channels, continuous. CV_8U if all its rows are; otherwise
  // CV_32F, and what was 8 bits is divided by 255.
  std::vector<cv::Mat> views;
  std::vector<int64_t> samples;  // of each row: the index in the data set of its first view
  std::vector<int> labels;       // of each row: Dataset::Label of that sample
};

// An image that could not be read and was replaced by another.
struct BadImage {
  int64_t index;
  std::string name;
  std::string why;
};

class Loader {
 public:
  // `dataset` must outlive the loader. InvalidArgument, naming --batch-size, if no batch can be
  // filled; ResourceExhausted if the threads cannot be started.
  static absl::StatusOr<std::unique_ptr<Loader>> Create(const Dataset& dataset,
                                                        LoaderOptions options);
  virtual ~Loader() = default;  // stops the threads

  virtual int64_t steps_per_epoch() const = 0;

  // The next batch, in order. A damaged image is replaced by a sample that is a function of (seed,
  // epoch, position), so that shapes and steps do not change. Errors: OutOfRange after the last
  // step; DataLoss, naming the last damaged image, if more than max_bad_images are damaged;
  // ResourceExhausted if memory is short: no image is replaced because of that.
  virtual absl::StatusOr<const Batch*> Next() = 0;

  // The damaged images that this loader has found, each once, in the order of their batches.
  virtual const std::vector<BadImage>& bad_images() const = 0;

  // Seconds that Next() has spent waiting (all of its time if there are no threads).
  virtual double seconds_waited() const = 0;
};

// Returns the error for a batch that has no or too many samples for this number of images (at least
// 1): InvalidArgument, naming --batch-size and the sizes that are possible.
absl::Status BatchCannotBeFilled(int64_t batch_size, int64_t images);

// The samples of an epoch in order: a permutation of 0 .. size-1, a function of (seed, epoch).
std::vector<int64_t> EpochOrder(int64_t size, uint64_t seed, int64_t epoch);

}  // namespace data

#endif  // DATA_LOADER_H_
