// The loader: C++ threads that decode images and make views a few batches ahead of the training
// step.
//
// Each image is decoded once for all of its views. A batch is written into preallocated memory of a
// bounded ring, in the layout the network wants (N x H x W x C, float), and handed out without a
// copy.
//
// What a batch holds is a function of (seed, step) alone: order by (seed, epoch), crops by (seed,
// epoch, sample, view). The number of threads changes nothing but the time.
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

// Writes one view of `image` to `out`, rows * cols * channels floats (H x W x C), drawing from
// `rng` alone.
using ViewFunction = std::function<void(const cv::Mat& image, base::Rng& rng, float* out)>;

struct LoaderOptions {
  int64_t batch_size = 0;  // of all processes together
  int rows = 0, cols = 0;  // of a view
  int channels = 3;
  std::vector<ViewFunction> views;  // one or two: query and key
  bool shuffle = true;              // else the order of the dataset, every epoch
  bool drop_last = true;            // else the last batch of an epoch may be smaller
  uint64_t seed = 0;
  int threads = 1;         // 0: the caller's own thread works inside Next()
  int batches_ahead = 3;   // the ring's size, at least 1
  int64_t first_step = 0;  // where a resumed run goes on; step = epoch * steps_per_epoch + i
  int64_t last_step = 0;   // one past the last
  // Of several processes that share each batch: this loader makes its rows rank, rank + ranks, ...,
  // the same samples with the same crops as one process would.
  int64_t rank = 0, ranks = 1;
  // Where the second view is of other rows of the batch: row i has that of row [i] of a step.
  // Each image of the two is then decoded on its own. Null: the same rows.
  std::function<std::vector<int64_t>(int64_t step)> second_view_order;
  int64_t max_bad_images = 0;   // different damaged images that are tolerated before Next() fails
  std::set<int64_t> known_bad;  // indices of those that a resumed run has met before; they count
};

// One batch. Valid until the next call of Next().
struct Batch {
  int64_t step = 0, epoch = 0;
  int64_t size = 0;              // rows, this process's; may be 0 in a smaller last batch
  std::vector<float*> views;     // of each view: size x rows x cols x channels
  std::vector<int64_t> samples;  // index in the dataset of each row, in the first view
  std::vector<int> labels;       // Dataset::Label of each
};

// An image that could not be read; its place was taken by another.
struct BadImage {
  int64_t index;
  std::string name;
  std::string why;
};

class Loader {
 public:
  // `dataset` must outlive the loader. InvalidArgument, naming --batch-size, when no batch can be
  // filled.
  static absl::StatusOr<std::unique_ptr<Loader>> Create(const Dataset& dataset,
                                                        LoaderOptions options);
  virtual ~Loader() = default;  // stops the threads

  virtual int64_t steps_per_epoch() const = 0;

  // The next batch, in order. A damaged image's place is taken by a sample that is a function of
  // (seed, epoch, position), so that shapes and steps do not change. Errors: OutOfRange after the
  // last step; DataLoss when more than max_bad_images different images are damaged, naming the
  // last.
  virtual absl::StatusOr<const Batch*> Next() = 0;

  // Damaged images met by this loader, each once, in the order of the batches that met them.
  virtual const std::vector<BadImage>& bad_images() const = 0;

  // Seconds that Next() has spent waiting (all of its time when there are no threads).
  virtual double seconds_waited() const = 0;
};

// The samples of an epoch in order: a permutation of 0 .. size-1, a function of (seed, epoch).
std::vector<int64_t> EpochOrder(int64_t size, uint64_t seed, int64_t epoch);

}  // namespace data

#endif  // DATA_LOADER_H_
