// Each image is the one that is farthest from all that are labelled or chosen before it: greedy
// k-center, the core set of Sener and Savarese, "Active learning for convolutional neural networks:
// a core-set approach" (ICLR 2018, algorithm 1), after Gonzalez, "Clustering to minimize the
// maximum intercluster distance" (1985). Without labels the first image is drawn at random.
//
// The choice is exactly the greedy one, but one pass over all rows serves many images: distances
// only shrink, so the farthest row is known as long as one of the rows that were farthest at the
// last pass is still farther than all other rows were then.
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/mv.h>

#include <algorithm>
#include <limits>

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

at::Tensor AsMatrix(std::vector<float>& values, int64_t dim) {
  return at::from_blob(values.data(), {static_cast<int64_t>(values.size()) / dim, dim}, at::kFloat);
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
    std::vector<float> centre_rows(centres.size() * dim), block;
    rows.Gather(centres, centre_rows.data());
    const at::Tensor transposed = AsMatrix(centre_rows, dim).t();
    for (int64_t from = 0; from < size; from += Rows::kBlock) {
      const int64_t count = std::min(Rows::kBlock, size - from);
      const auto begin = pool_.candidates.begin() + from;
      block.resize(count * dim);
      rows.Gather({begin, begin + count}, block.data());
      const at::Tensor similarities = at::mm(AsMatrix(block, dim), transposed);
      const int64_t width = centres.size();
      at::parallel_for(0, count, /*grain_size=*/64, [&](int64_t first, int64_t last) {
        for (int64_t i = first; i < last; ++i) {
          const float* row = similarities.data_ptr<float>() + i * width;
          float& nearness = nearness_[from + i];
          nearness = std::max(nearness, *std::max_element(row, row + width));
        }
      });
    }
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
    std::partial_sort(order.begin(), order.begin() + size, order.end(), farther);
    float rest = std::numeric_limits<float>::infinity();  // of the farthest outside
    for (size_t i = size; i < order.size(); ++i) rest = std::min(rest, nearness[order[i]]);
    order.resize(size);

    const int64_t dim = pool.rows.dim();
    std::vector<int64_t> rows;
    std::vector<float> near;
    for (const int64_t candidate : order) {
      rows.push_back(pool.candidates[candidate]);
      near.push_back(nearness[candidate]);
    }
    std::vector<float> values(size * dim);
    pool.rows.Gather(rows, values.data());
    const at::Tensor matrix = AsMatrix(values, dim);
    std::vector<int64_t> batch;
    while (static_cast<int64_t>(batch.size()) < std::min(most, size)) {
      const int64_t next = std::min_element(near.begin(), near.end()) - near.begin();
      if (!batch.empty() && near[next] >= rest) break;
      batch.push_back(order[next]);
      const at::Tensor similarities = at::mv(matrix, matrix.select(0, next));
      const float* to_next = similarities.data_ptr<float>();
      for (int64_t i = 0; i < size; ++i) near[i] = std::max(near[i], to_next[i]);
      near[next] = std::numeric_limits<float>::infinity();
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
