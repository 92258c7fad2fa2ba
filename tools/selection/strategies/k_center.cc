// Each image is the one that is farthest from all that are labelled or chosen before it: greedy
// k-center, the core set of Sener and Savarese, "Active learning for convolutional neural networks:
// a core-set approach" (ICLR 2018, algorithm 1), after Gonzalez, "Clustering to minimize the
// maximum intercluster distance" (1985). Without labels the first image is drawn at random.
//
// The choice is exactly the greedy one, but one pass over all rows serves many images: distances
// only shrink, so the farthest row is known as long as one of the rows that were farthest at the
// last pass is still farther than all other rows were then.
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/mv.h>

#include <algorithm>
#include <array>
#include <limits>

#include "tensors/in_chunks.h"
#include "tools/selection/strategy.h"

namespace selection {
namespace {

struct KCenterOptions {
  int64_t pool = 4096;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("pool", pool,
      "farthest rows that are kept between two passes over all rows; affects only the time",
      registry::Between(1, 1e6));
  }
};

constexpr int64_t kCentresAtOnce = 1024;
// The similarities that a thread computes at once, which stay in its core's cache.
constexpr int64_t kRowChunk = 128, kCentreChunk = 512;
constexpr int64_t kFarChunk = 512;  // of the rows that are kept between two passes

at::Tensor AsMatrix(std::vector<float>& values, int64_t dim) {
  return at::from_blob(values.data(), {static_cast<int64_t>(values.size()) / dim, dim}, at::kFloat);
}

// The largest of `count` values, at least one. The compiler makes vector instructions of the inner
// loop, which it may not do for a single running maximum.
float LargestOf(const float* values, int64_t count) {
  constexpr int64_t kLanes = 16;
  std::array<float, kLanes> largest;
  largest.fill(-std::numeric_limits<float>::infinity());
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      largest[lane] = std::max(largest[lane], values[i + lane]);
    }
  }
  for (; i < count; ++i) largest[0] = std::max(largest[0], values[i]);
  return *std::max_element(largest.begin(), largest.end());
}

// The cosine between each candidate and its nearest centre; the farther away, the smaller.
class Nearness {
 public:
  explicit Nearness(const Pool& pool)
      : pool_(pool), nearness_(pool.candidates.size(), -std::numeric_limits<float>::infinity()) {}

  float operator[](int64_t candidate) const { return nearness_[candidate]; }

  // One pass over all rows; `centres` are rows of the features.
  void AddCentres(const std::vector<int64_t>& centres) {
    const Rows& rows = pool_.rows;
    const int64_t dim = rows.dim(), size = nearness_.size();
    std::vector<float> centre_rows(centres.size() * dim);
    rows.Gather(centres, centre_rows.data());
    const at::Tensor all = AsMatrix(centre_rows, dim);
    tensors::InChunks(size, kRowChunk, [&](int64_t from, int64_t to) {
      std::vector<float> values((to - from) * dim);
      rows.Gather({pool_.candidates.begin() + from, pool_.candidates.begin() + to}, values.data());
      const at::Tensor some = AsMatrix(values, dim);
      for (int64_t first = 0; first < all.size(0); first += kCentreChunk) {
        const int64_t width = std::min(kCentreChunk, all.size(0) - first);
        const at::Tensor similarities = at::mm(some, all.narrow(0, first, width).t());
        for (int64_t i = from; i < to; ++i) {
          const float* row = similarities.const_data_ptr<float>() + (i - from) * width;
          nearness_[i] = std::max(nearness_[i], LargestOf(row, width));
        }
      }
    });
  }

 private:
  const Pool& pool_;
  std::vector<float> nearness_;
};

class KCenter : public Strategy {
 public:
  explicit KCenter(const KCenterOptions& options) : options_(options) {}

  Needs needs(int64_t, int64_t, int64_t) const override { return {}; }

  Choice Choose(const Pool& pool, int64_t budget, base::Rng& rng) const override {
    at::NoGradGuard no_grad;
    Stratum all{"all"};
    all.candidates = pool.candidates.size();
    all.quota = budget;
    Nearness nearness(pool);
    for (size_t from = 0; from < pool.labelled.size(); from += kCentresAtOnce) {
      const auto begin = pool.labelled.begin() + from;
      nearness.AddCentres(
          {begin, begin + std::min<size_t>(kCentresAtOnce, pool.labelled.size() - from)});
    }
    if (pool.labelled.empty()) {
      all.chosen.push_back(pool.candidates[rng.UniformInt(0, all.candidates - 1)]);
      nearness.AddCentres(all.chosen);
    }
    std::vector<bool> taken(all.candidates, false);
    for (const int64_t row : all.chosen) taken[PositionOf(row, pool)] = true;
    while (static_cast<int64_t>(all.chosen.size()) < budget) {
      const std::vector<int64_t> batch =
          FarthestOf(pool, nearness, taken, budget - static_cast<int64_t>(all.chosen.size()));
      for (const int64_t candidate : batch) taken[candidate] = true;
      std::vector<int64_t> rows;
      for (const int64_t candidate : batch) rows.push_back(pool.candidates[candidate]);
      all.chosen.insert(all.chosen.end(), rows.begin(), rows.end());
      if (static_cast<int64_t>(all.chosen.size()) < budget) nearness.AddCentres(rows);
    }
    return {{all}, {}};
  }

 private:
  static int64_t PositionOf(int64_t row, const Pool& pool) {
    return std::lower_bound(pool.candidates.begin(), pool.candidates.end(), row) -
           pool.candidates.begin();
  }

  // Returns the next candidates of the greedy choice, 1 to `most` of them.
  std::vector<int64_t> FarthestOf(const Pool& pool, const Nearness& nearness,
                                  const std::vector<bool>& taken, int64_t most) const {
    std::vector<int64_t> order;  // of candidates, the farthest first
    for (size_t i = 0; i < taken.size(); ++i) {
      if (!taken[i]) order.push_back(i);
    }
    const auto farther = [&](int64_t a, int64_t b) {
      return nearness[a] != nearness[b] ? nearness[a] < nearness[b] : a < b;
    };
    const int64_t size = std::min<int64_t>(options_.pool, order.size());
    std::nth_element(order.begin(), order.begin() + size - 1, order.end(), farther);
    std::sort(order.begin(), order.begin() + size, farther);
    float rest = std::numeric_limits<float>::infinity();  // of the farthest outside
    for (size_t i = size; i < order.size(); ++i) rest = std::min(rest, nearness[order[i]]);
    order.resize(size);

    const int64_t dim = pool.rows.dim();
    std::vector<int64_t> rows;
    std::vector<float> far;  // of each in `order`; -infinity once it is chosen
    for (const int64_t candidate : order) {
      rows.push_back(pool.candidates[candidate]);
      far.push_back(-nearness[candidate]);
    }
    std::vector<float> values(size * dim);
    pool.rows.Gather(rows, values.data());
    const at::Tensor matrix = AsMatrix(values, dim);
    std::vector<int64_t> batch;
    while (static_cast<int64_t>(batch.size()) < std::min(most, size)) {
      const float farthest = LargestOf(far.data(), size);
      if (!batch.empty() && farthest <= -rest) break;
      const int64_t next = std::find(far.begin(), far.end(), farthest) - far.begin();
      batch.push_back(order[next]);
      tensors::InChunks(size, kFarChunk, [&](int64_t begin, int64_t end) {
        const at::Tensor similarities =
            at::mv(matrix.narrow(0, begin, end - begin), matrix.select(0, next));
        const float* to_next = similarities.const_data_ptr<float>();
        for (int64_t i = begin; i < end; ++i) far[i] = std::min(far[i], -to_next[i - begin]);
      });
      far[next] = -std::numeric_limits<float>::infinity();
    }
    return batch;
  }

  const KCenterOptions options_;
};

absl::StatusOr<std::unique_ptr<Strategy>> MakeKCenter(const KCenterOptions& options) {
  return std::make_unique<KCenter>(options);
}

REGISTER_PLUGIN(
    Strategies, "k_center",
    "repeatedly the image that is farthest from all labelled and chosen ones (greedy core set)",
    KCenterOptions, MakeKCenter);

}  // namespace
}  // namespace selection
