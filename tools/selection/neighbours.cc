#include "tools/selection/neighbours.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/argsort.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>
#include <glog/logging.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/rng.h"
#include "tensors/in_chunks.h"
#include "tools/selection/draws.h"

namespace selection {
namespace {

constexpr int64_t kQueries = 1024;        // rows that are compared with the same rows at once
constexpr int64_t kChunk = 128;           // of those, what one thread compares at once
constexpr int64_t kRecallQueries = 1000;  // rows whose true neighbours are looked for
constexpr float kRounding = 1e-5f;        // of a cosine
// Rows and columns that a product has at least: the library adds up a narrower one in another
// order, and a similarity would depend, in its last bit, on what else it is computed with.
constexpr int64_t kLeast = 16;

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

// An upper bound of the cosine of two unit vectors whose cosines with a third are `a` and `b`: the
// angle between them is at least the difference of their angles to it. `kSlack` is more than what
// rounding does to either, so that the bound holds for computed cosines.
double CosineBound(double a, double b) {
  constexpr double kSlack = 1e-4;
  const auto sine = [](double cosine) {
    const double least = std::max(0.0, std::min(1.0, std::abs(cosine)) - kSlack);
    return std::sqrt(1 - least * least);
  };
  return a * b + sine(a) * sine(b) + 3 * kSlack;
}

// Members `begin` to `end` - 1 of a list.
struct Part {
  int64_t list = 0, begin = 0, end = 0;
  int64_t size() const { return end - begin; }
};

class Search {
 public:
  Search(const Rows& rows, const Clusters& clusters, const std::vector<bool>& labelled,
         const NeighbourOptions& options)
      : rows_(rows),
        clusters_(clusters),
        options_(options),
        duplicates_(options.duplicates < 1 ? static_cast<float>(options.duplicates)
                                           : std::numeric_limits<float>::infinity()),
        state_(rows.size(), kUnknown) {
    std::vector<int64_t> all(rows.size());
    std::iota(all.begin(), all.end(), 0);
    lists_ = ByCluster(clusters, all);
    centres_ = at::from_blob(const_cast<float*>(clusters.centres.data()), {clusters.k, rows.dim()},
                             at::kFloat)
                   .clone();
    found_.k = std::min(options.k, rows.size() - 1);
    found_.similarities.assign(rows.size() * found_.k, -std::numeric_limits<float>::infinity());
    for (int64_t row = 0; row < rows.size(); ++row) {
      if (labelled[row]) state_[row] = kStays;
    }
    if (rows.size() <= options.compared) HoldAll();
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

  // What rows `from` to `from` + `count` - 1 of the list order[0] are compared with, that list
  // first. Of a list that is longer than the room left, those about as far from its centre as they
  // are, or of another list the nearest to its centre.
  std::vector<Part> ComparedWith(const std::vector<int64_t>& order, int64_t from,
                                 int64_t count) const {
    const int64_t own = lists_[order[0]].size();
    const int64_t window = std::min(own, std::max(count, options_.compared));
    const int64_t begin = std::clamp<int64_t>(from + count / 2 - window / 2, 0, own - window);
    std::vector<Part> parts = {{order[0], begin, begin + window}};
    int64_t room = options_.compared - window;
    for (size_t i = 1; i < order.size() && room > 0; ++i) {
      const int64_t size = std::min<int64_t>(room, lists_[order[i]].size());
      parts.push_back({order[i], 0, size});
      room -= size;
    }
    return parts;
  }

  void Compare(const std::vector<int64_t>& queries, const std::vector<Part>& parts) {
    const int64_t n = queries.size();
    const at::Tensor query_rows = at::empty({n, rows_.dim()}, at::kFloat);
    rows_.Gather(queries, query_rows.data_ptr<float>());
    const std::vector<at::Tensor> members = Members(parts);
    std::vector<std::vector<int64_t>> near(n);  // duplicates of each query
    tensors::InChunks(n, kChunk, [&](int64_t begin, int64_t end) {
      const Chunk chunk{queries.data() + begin, query_rows.narrow(0, begin, end - begin),
                        near.data() + begin};
      const at::Tensor to_centres = at::mm(chunk.rows, centres_.t());  // (end - begin) x k
      for (size_t i = 0; i < parts.size(); ++i) {
        std::vector<int64_t> positions(chunk.rows.size(0));
        std::iota(positions.begin(), positions.end(), 0);
        // All of the nearest list: what it gives rules out most of the others.
        const Part needed = i == 0 ? parts[0] : Needed(chunk, to_centres, parts[i], positions);
        if (needed.size() > 0) ComparePart(chunk, positions, needed, parts[i], members[i]);
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

  // Queries of one thread.
  struct Chunk {
    const int64_t* queries;
    at::Tensor rows;             // of each
    std::vector<int64_t>* near;  // duplicates of each
  };

  // A cosine that is not above this changes nothing for the row.
  float Floor(int64_t row) {
    return std::min(Largest(found_.similarities.data() + row * found_.k, found_.k).floor(),
                    duplicates_);
  }

  // The members of `part` that could be a neighbour or a duplicate of some query, by their angles
  // to the list's centre; `positions` become those of these queries.
  Part Needed(const Chunk& chunk, const at::Tensor& to_centres, const Part& part,
              std::vector<int64_t>& positions) {
    const auto first = lists_[part.list].begin() + part.begin;
    const auto last = lists_[part.list].begin() + part.end;
    Part needed{part.list, part.end, part.begin};
    positions.clear();
    for (int64_t i = 0; i < chunk.rows.size(0) && first != last; ++i) {
      const float cosine = to_centres.const_data_ptr<float>()[i * to_centres.size(1) + part.list];
      const float floor = Floor(chunk.queries[i]);
      const auto of = [&](int64_t row) { return clusters_.similarity[row]; };
      const auto reaches = [&](int64_t row) { return CosineBound(cosine, of(row)) > floor; };
      // Members come from the centre outwards: the bound rises up to those that are as far from it
      // as the query, and falls after them.
      const auto peak =
          std::partition_point(first, last, [&](int64_t row) { return of(row) >= cosine; });
      if (!(peak != first && reaches(*(peak - 1))) && !(peak != last && reaches(*peak))) continue;
      const auto from =
          std::partition_point(first, peak, [&](int64_t row) { return !reaches(row); });
      const auto to = std::partition_point(peak, last, reaches);
      positions.push_back(i);
      needed.begin = std::min(needed.begin, part.begin + (from - first));
      needed.end = std::max(needed.end, part.begin + (to - first));
    }
    return needed;
  }

  // Compares the queries at `positions` with `needed` of `part`, whose rows begin with `members`.
  void ComparePart(const Chunk& chunk, std::vector<int64_t> positions, const Part& needed,
                   const Part& part, const at::Tensor& members) {
    const int64_t n = positions.size(), width = std::max(needed.size(), kLeast);
    positions.resize(std::max(n, kLeast), positions[0]);
    const at::Tensor rows = chunk.rows.index_select(
        0, at::from_blob(positions.data(), {static_cast<int64_t>(positions.size())}, at::kLong));
    const at::Tensor similarities =
        at::mm(rows, members.narrow(0, needed.begin - part.begin, width).t());
    const int64_t* others = lists_[part.list].data() + needed.begin;
    for (int64_t i = 0; i < n; ++i) {
      const float* row = similarities.const_data_ptr<float>() + i * width;
      const int64_t query = chunk.queries[positions[i]];
      Largest largest(found_.similarities.data() + query * found_.k, found_.k);
      float floor = std::min(largest.floor(), duplicates_);
      for (int64_t j = 0; j < needed.size(); ++j) {
        if (row[j] <= floor || others[j] == query) continue;
        if (row[j] > duplicates_) chunk.near[positions[i]].push_back(others[j]);
        if (row[j] > largest.floor()) largest.Add(row[j]);
        floor = std::min(largest.floor(), duplicates_);
      }
    }
  }

  // The rows of each part, followed by kLeast others or zeros.
  std::vector<at::Tensor> Members(const std::vector<Part>& parts) {
    std::vector<at::Tensor> members;
    if (all_rows_.defined()) {
      for (const Part& part : parts) {
        members.push_back(
            all_rows_.narrow(0, starts_[part.list] + part.begin, part.size() + kLeast));
      }
      return members;
    }
    std::vector<int64_t> rows;
    for (const Part& part : parts) {
      const auto first = lists_[part.list].begin();
      rows.insert(rows.end(), first + part.begin, first + part.end);
    }
    const int64_t count = rows.size();
    if (!member_rows_.defined() || member_rows_.size(0) < count + kLeast) {
      member_rows_ = at::empty({count + kLeast, rows_.dim()}, at::kFloat);
    }
    rows_.Gather(rows, member_rows_.data_ptr<float>());
    member_rows_.narrow(0, count, kLeast).zero_();
    int64_t begin = 0;
    for (const Part& part : parts) {
      members.push_back(member_rows_.narrow(0, begin, part.size() + kLeast));
      begin += part.size();
    }
    return members;
  }

  // Few rows are compared with all, each time.
  void HoldAll() {
    std::vector<int64_t> in_order;
    for (const std::vector<int64_t>& members : lists_) {
      starts_.push_back(in_order.size());
      in_order.insert(in_order.end(), members.begin(), members.end());
    }
    all_rows_ = at::zeros({rows_.size() + kLeast, rows_.dim()}, at::kFloat);
    rows_.Gather(in_order, all_rows_.data_ptr<float>());
  }

  double Recall() const {
    const int64_t dim = rows_.dim(), k = found_.k;
    std::vector<int64_t> queries = DrawsFor(options_.seed, Draw::kRecall).Permutation(rows_.size());
    queries.resize(std::min(kRecallQueries, rows_.size()));
    const int64_t n = queries.size();
    std::vector<float> query_rows(n * dim), block(Rows::kBlock * dim);
    rows_.Gather(queries, query_rows.data());
    const at::Tensor all_queries = AsMatrix(query_rows, n, dim);
    std::vector<float> best(n * k, -std::numeric_limits<float>::infinity());
    for (int64_t from = 0; from < rows_.size(); from += Rows::kBlock) {
      const int64_t count = std::min(Rows::kBlock, rows_.size() - from);
      rows_.Read(from, count, block.data());
      const at::Tensor compared = AsMatrix(block, count, dim).t();
      tensors::InChunks(n, /*chunk=*/16, [&](int64_t begin, int64_t end) {
        const at::Tensor similarities = at::mm(all_queries.narrow(0, begin, end - begin), compared);
        for (int64_t i = begin; i < end; ++i) {
          const float* row = similarities.const_data_ptr<float>() + (i - begin) * count;
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
  const Clusters& clusters_;
  const NeighbourOptions& options_;
  const float duplicates_;
  std::vector<std::vector<int64_t>> lists_;  // rows of each, from the centre outwards
  at::Tensor centres_;
  std::vector<State> state_;
  at::Tensor member_rows_;       // of the parts that queries are compared with
  at::Tensor all_rows_;          // list after list; undefined: rows are read when they are needed
  std::vector<int64_t> starts_;  // of each list in all_rows_
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
