#include "moco/measures/knn.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

#include "tensors/in_chunks.h"

namespace moco {
namespace {

constexpr int64_t kBankBlock = 4096, kQueryBlock = 2048;
// The similarities that a thread computes at once, which stay in its core's cache.
constexpr int64_t kQueryChunk = 64, kBankChunk = 1024;
constexpr int64_t kCandidates = int64_t{1} << 24;  // of all queries in a block

at::Tensor FiniteUnitRows(const at::Tensor& x) { return UnitRows(x).nan_to_num_(0, 0, 0); }

// Keeps the k most similar of the rows that are offered in the order of the bank. The buffer holds
// 2k rows and is reduced to k when it is full. Nearly all rows of a long bank are rejected by one
// comparison with the least similar of those k.
class Nearest {
 public:
  void Start(int64_t k) {
    k_ = k;
    least_ = -std::numeric_limits<float>::infinity();
    held_.clear();
    held_.reserve(2 * k);
  }

  void Offer(const float* similarities, int64_t count, int64_t first) {
    for (int64_t j = 0; j < count; ++j) {
      if (similarities[j] > least_) Add(similarities[j], first + j);
    }
  }

  // At least k rows must have been offered.
  void Finish(float* similarities, int64_t* index) {
    std::partial_sort(held_.begin(), held_.begin() + k_, held_.end(), MoreSimilar);
    for (int64_t j = 0; j < k_; ++j) std::tie(similarities[j], index[j]) = held_[j];
  }

 private:
  using Candidate = std::pair<float, int64_t>;

  static bool MoreSimilar(const Candidate& a, const Candidate& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  }

  void Add(float similarity, int64_t index) {
    held_.emplace_back(similarity, index);
    if (static_cast<int64_t>(held_.size()) < 2 * k_) return;
    std::nth_element(held_.begin(), held_.begin() + k_ - 1, held_.end(), MoreSimilar);
    held_.resize(k_);
    least_ = held_.back().first;  // later rows must be more similar
  }

  int64_t k_ = 0;
  float least_ = 0;
  std::vector<Candidate> held_;
};

// Computes the class of each query from the votes of its neighbours: predictions[k][temperature], N
// int64.
std::vector<std::vector<at::Tensor>> Vote(const Neighbours& neighbours, const at::Tensor& labels,
                                          const KnnGrid& grid) {
  const std::vector<int64_t>& k = grid.k;
  const std::vector<double>& temperatures = grid.temperature;
  const int64_t n = neighbours.index.size(0), most = neighbours.index.size(1);
  std::vector<std::vector<at::Tensor>> predictions(k.size());
  for (auto& row : predictions) {
    for (size_t t = 0; t < temperatures.size(); ++t) row.push_back(at::empty({n}, at::kLong));
  }
  const int64_t* label = labels.const_data_ptr<int64_t>();
  at::parallel_for(0, n, 16, [&](int64_t begin, int64_t end) {
    std::vector<double> votes(grid.classes);
    for (int64_t i = begin; i < end; ++i) {
      const float* similarity = neighbours.similarity.const_data_ptr<float>() + i * most;
      const int64_t* index = neighbours.index.const_data_ptr<int64_t>() + i * most;
      for (size_t t = 0; t < temperatures.size(); ++t) {
        std::fill(votes.begin(), votes.end(), 0);
        size_t next = 0;  // of k
        for (int64_t j = 0; j < most; ++j) {
          // Relative to the most similar one, so that no temperature causes an overflow.
          votes[label[index[j]]] += std::exp((similarity[j] - similarity[0]) / temperatures[t]);
          for (; next < k.size() && std::min(k[next], most) == j + 1; ++next) {
            predictions[next][t].data_ptr<int64_t>()[i] =
                std::max_element(votes.begin(), votes.end()) - votes.begin();
          }
        }
      }
    }
  });
  return predictions;
}

}  // namespace

void FindExactNeighbours(
    const FeatureRows& bank, const FeatureRows& queries, int64_t k, bool leave_one_out,
    const std::function<void(int64_t from, const Neighbours& neighbours)>& take) {
  at::NoGradGuard no_grad;
  k = std::min(k, bank.size - leave_one_out);
  const int64_t block = std::clamp<int64_t>(kCandidates / (2 * k), 1, kQueryBlock);
  std::vector<Nearest> nearest(std::min(block, queries.size));
  for (int64_t from = 0; from < queries.size; from += block) {
    const int64_t n = std::min(block, queries.size - from);
    const at::Tensor some = FiniteUnitRows(queries.Rows(from, n));
    if (queries.release) queries.release(from + n);
    for (Nearest& of_query : nearest) of_query.Start(k);
    for (int64_t first = 0; first < bank.size; first += kBankBlock) {
      const int64_t m = std::min(kBankBlock, bank.size - first);
      const at::Tensor compared = FiniteUnitRows(bank.Rows(first, m));
      tensors::InChunks(n, kQueryChunk, [&](int64_t begin, int64_t end) {
        for (int64_t at = 0; at < m; at += kBankChunk) {
          const int64_t width = std::min(kBankChunk, m - at);
          const at::Tensor similarity =
              at::mm(some.narrow(0, begin, end - begin), compared.narrow(0, at, width).t());
          for (int64_t i = begin; i < end; ++i) {
            const float* row = similarity.const_data_ptr<float>() + (i - begin) * width;
            const int64_t own = from + i - first - at;  // its position in the row, if it is in it
            if (leave_one_out && own >= 0 && own < width) {
              nearest[i].Offer(row, own, first + at);
              nearest[i].Offer(row + own + 1, width - own - 1, first + at + own + 1);
            } else {
              nearest[i].Offer(row, width, first + at);
            }
          }
        }
      });
      if (bank.release) bank.release(first + m);
    }
    const Neighbours found{at::empty({n, k}, at::kFloat), at::empty({n, k}, at::kLong)};
    float* similarity = found.similarity.data_ptr<float>();
    int64_t* index = found.index.data_ptr<int64_t>();
    at::parallel_for(0, n, 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) nearest[i].Finish(similarity + i * k, index + i * k);
    });
    take(from, found);
  }
}

at::Tensor KnnPredict(const at::Tensor& bank, const at::Tensor& bank_labels,
                      const at::Tensor& queries, const KnnOptions& options) {
  const KnnGrid grid{options.classes, {options.k}, {options.temperature}};
  const at::Tensor labels = bank_labels.cpu().contiguous();
  at::Tensor predictions = at::empty({queries.size(0)}, at::kLong);
  FindExactNeighbours(InMemory(bank), InMemory(queries), options.k, /*leave_one_out=*/false,
                      [&](int64_t from, const Neighbours& neighbours) {
                        const at::Tensor some = Vote(neighbours, labels, grid)[0][0];
                        predictions.narrow(0, from, some.size(0)).copy_(some);
                      });
  return predictions;
}

double KnnAccuracy(const at::Tensor& bank, const at::Tensor& bank_labels, const at::Tensor& queries,
                   const at::Tensor& query_labels, const KnnOptions& options) {
  const at::Tensor right = KnnPredict(bank, bank_labels, queries, options) == query_labels.cpu();
  return right.to(at::kDouble).mean().item<double>();
}

std::vector<std::vector<double>> KnnAccuracies(const LabelledRows& bank,
                                               const LabelledRows& queries, const KnnGrid& grid,
                                               const std::function<void(int64_t done)>& progress) {
  std::vector<std::vector<double>> accuracies(grid.k.size(),
                                              std::vector<double>(grid.temperature.size()));
  const at::Tensor bank_labels = bank.labels.contiguous();
  FindExactNeighbours(bank.features, queries.features, grid.k.back(), grid.leave_one_out,
                      [&](int64_t from, const Neighbours& neighbours) {
                        const int64_t n = neighbours.index.size(0);
                        const at::Tensor truth = queries.labels.narrow(0, from, n);
                        const auto votes = Vote(neighbours, bank_labels, grid);
                        for (size_t k = 0; k < votes.size(); ++k) {
                          for (size_t t = 0; t < votes[k].size(); ++t) {
                            accuracies[k][t] += (votes[k][t] == truth).sum().item<double>();
                          }
                        }
                        progress(from + n);
                      });
  for (auto& row : accuracies) {
    for (double& accuracy : row) accuracy /= queries.features.size;
  }
  return accuracies;
}

}  // namespace moco
