#include "tools/selection/neighbours.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/argsort.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mm.h>
#include <glog/logging.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/rng.h"
#include "tools/selection/draws.h"

namespace selection {
namespace {

constexpr int64_t kQueries = 1024;        // rows that are compared with the same rows at once
constexpr int64_t kRecallQueries = 1000;  // rows whose true neighbours are looked for
constexpr float kRounding = 1e-5f;        // of a cosine

at::Tensor AsMatrix(std::vector<float>& values, int64_t count, int64_t dim) {
  return at::from_blob(values.data(), {count, dim}, at::kFloat);
}

// The largest k of what it is given, largest first, in place.
class Largest {
 public:
  Largest(float* best, int64_t k) : best_(best), k_(k) {}
  // What is not larger than this is not among them.
  float floor() const { return k_ == 0 ? std::numeric_limits<float>::infinity() : best_[k_ - 1]; }
  void Add(float value) {
    int64_t at = k_ - 1;
    for (; at > 0 && best_[at - 1] < value; --at) best_[at] = best_[at - 1];
    best_[at] = value;
  }

 private:
  float* const best_;
  const int64_t k_;
};

class Search {
 public:
  Search(const Rows& rows, const Clusters& lists, const std::vector<bool>& labelled,
         const NeighbourOptions& options)
      : rows_(rows),

        options_(options),
        duplicates_(options.duplicates < 1 ? static_cast<float>(options.duplicates)
                                           : std::numeric_limits<float>::infinity()),
        state_(rows.size(), kUnknown) {
    std::vector<int64_t> all(rows.size());
    std::iota(all.begin(), all.end(), 0);
    lists_ = ByCluster(lists, all);
    centres_ =
        at::from_blob(const_cast<float*>(lists.centres.data()), {lists.k, rows.dim()}, at::kFloat);
    found_.k = std::min(options.k, rows.size() - 1);
    found_.similarities.assign(rows.size() * found_.k, -std::numeric_limits<float>::infinity());
    for (int64_t row = 0; row < rows.size(); ++row) {
      if (labelled[row]) state_[row] = kStays;
    }
  }

  Neighbours Run(const std::function<void(double)>& progress) {
    int64_t done = 0;
    for (size_t list = 0; list < lists_.size(); ++list) {
      const std::vector<int64_t> order = NearestLists(list);
      const int64_t size = lists_[list].size();
      for (int64_t from = 0; from < size; from += kQueries) {
        const int64_t count = std::min(kQueries, size - from);
        const auto begin = lists_[list].begin() + from;
        Compare({begin, begin + count}, ComparedWith(order, from, count));
        done += count;
        progress(static_cast<double>(done) / rows_.size());
      }
    }
    found_.repeated.resize(rows_.size());
    for (int64_t row = 0; row < rows_.size(); ++row)
      found_.repeated[row] = state_[row] == kRepeated;
    if (found_.k > 0 && rows_.size() > options_.compared) found_.recall = Recall();
    return std::move(found_);
  }

 private:
  enum State : char { kUnknown, kStays, kRepeated };

  // All lists, the nearest to `list` first: itself.
  std::vector<int64_t> NearestLists(int64_t list) const {
    const at::Tensor order =
        at::argsort(at::mm(centres_, centres_.select(0, list).unsqueeze(1)).squeeze(1),
                    /*dim=*/0, /*descending=*/true);
    std::vector<int64_t> nearest = {list};
    for (int64_t i = 0; i < order.size(0); ++i) {
      const int64_t other = order.data_ptr<int64_t>()[i];
      if (other != list) nearest.push_back(other);
    }
    return nearest;
  }

  // The rows that rows `from` to `from` + `count` - 1 of the list order[0] are compared with. Of a
  // list that is longer than that, those about as far from its centre as they are.
  std::vector<int64_t> ComparedWith(const std::vector<int64_t>& order, int64_t from,
                                    int64_t count) const {
    std::vector<int64_t> with;
    const int64_t own = lists_[order[0]].size();
    const int64_t window = std::min(own, std::max(count, options_.compared));
    const int64_t begin = std::clamp<int64_t>(from + count / 2 - window / 2, 0, own - window);
    for (const int64_t list : order) {
      const std::vector<int64_t>& members = lists_[list];
      const int64_t room = options_.compared - static_cast<int64_t>(with.size());
      if (list == order[0]) {
        with.assign(members.begin() + begin, members.begin() + begin + window);
      } else if (room > 0) {
        with.insert(with.end(), members.begin(),
                    members.begin() + std::min<int64_t>(room, members.size()));
      }
    }
    std::sort(with.begin(), with.end());
    return with;
  }

  void Compare(const std::vector<int64_t>& queries, std::vector<int64_t> others) {
    const int64_t dim = rows_.dim(), n = queries.size(), m = others.size();
    query_rows_.resize(n * dim);
    rows_.Gather(queries, query_rows_.data());
    if (others != others_) {  // few rows are compared with all, each time
      others_ = std::move(others);
      other_rows_.resize(m * dim);
      rows_.Gather(others_, other_rows_.data());
    }
    const at::Tensor similarities =
        at::mm(AsMatrix(query_rows_, n, dim), AsMatrix(other_rows_, m, dim).t());
    std::vector<std::vector<int64_t>> near(n);  // duplicates of each query
    at::parallel_for(0, n, /*grain_size=*/8, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const float* row = similarities.data_ptr<float>() + i * m;
        Largest largest(found_.similarities.data() + queries[i] * found_.k, found_.k);
        for (int64_t j = 0; j < m; ++j) {
          if (row[j] <= std::min(largest.floor(), duplicates_) || others_[j] == queries[i])
            continue;
          if (row[j] > duplicates_) near[i].push_back(others_[j]);
          if (row[j] > largest.floor()) largest.Add(row[j]);
        }
      }
    });
    for (int64_t i = 0; i < n; ++i) {
      State& state = state_[queries[i]];
      if (state == kStays) continue;  // labelled
      const bool repeated = std::any_of(near[i].begin(), near[i].end(),
                                        [&](int64_t other) { return state_[other] == kStays; });
      state = repeated ? kRepeated : kStays;
    }
  }

  double Recall() const {
    const int64_t dim = rows_.dim(), k = found_.k;
    std::vector<int64_t> queries = DrawsFor(options_.seed, Draw::kRecall).Permutation(rows_.size());
    queries.resize(std::min(kRecallQueries, rows_.size()));
    const int64_t n = queries.size();
    std::vector<float> query_rows(n * dim), block(Rows::kBlock * dim);
    rows_.Gather(queries, query_rows.data());
    std::vector<float> best(n * k, -std::numeric_limits<float>::infinity());
    for (int64_t from = 0; from < rows_.size(); from += Rows::kBlock) {
      const int64_t count = std::min(Rows::kBlock, rows_.size() - from);
      rows_.Read(from, count, block.data());
      const at::Tensor similarities =
          at::mm(AsMatrix(query_rows, n, dim), AsMatrix(block, count, dim).t());
      at::parallel_for(0, n, /*grain_size=*/8, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          const float* row = similarities.data_ptr<float>() + i * count;
          Largest largest(best.data() + i * k, k);
          for (int64_t j = 0; j < count; ++j) {
            if (row[j] > largest.floor() && from + j != queries[i]) largest.Add(row[j]);
          }
        }
      });
    }
    int64_t found = 0;
    for (int64_t i = 0; i < n; ++i) {
      const float* mine = found_.similarities.data() + queries[i] * k;
      const float last = best[i * k + k - 1] - kRounding;
      found += std::count_if(mine, mine + k, [&](float s) { return s >= last; });
    }
    return static_cast<double>(found) / (n * k);
  }

  const Rows& rows_;
  const NeighbourOptions& options_;
  const float duplicates_;
  std::vector<std::vector<int64_t>> lists_;  // rows of each, from the centre outwards
  at::Tensor centres_;
  std::vector<State> state_;
  std::vector<int64_t> others_;  // whose rows are in other_rows_
  std::vector<float> query_rows_, other_rows_;
  Neighbours found_;
};

}  // namespace

Neighbours FindApproximateNeighbours(const Rows& rows, const Clusters& lists,
                                     const std::vector<bool>& labelled,
                                     const NeighbourOptions& options,
                                     const std::function<void(double)>& progress) {
  CHECK_LT(options.k, options.compared);
  at::NoGradGuard no_grad;
  return Search(rows, lists, labelled, options).Run(progress);
}

}  // namespace selection
