// k-nearest-neighbour classification on features: how good an encoder is, without training
// anything. The monitor of pretraining and the program `knn` are the same code.
#ifndef MOCO_MEASURES_KNN_H_
#define MOCO_MEASURES_KNN_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "moco/measures/feature_rows.h"

namespace moco {

// The most similar rows of a bank for each of N queries, the most similar first; of equally similar
// ones the first in the bank.
struct Neighbours {
  at::Tensor similarity;  // N x k float32: cosine, -1 to 1
  at::Tensor index;       // N x k int64: rows of the bank
};

// Calls `take` with the neighbours of each block of queries, whose first one is `from`. k: at least
// 1; as many as there are, where that is less. The bank has at least 1 row that is no query's own.
// Features need not be normalised; what is not finite counts as 0.
//   leave_one_out: the queries are the bank, and none is its own neighbour.
// The bank is read once for each block of queries. Neither it nor the queries x bank similarities
// need fit into memory, which takes some hundred MB whatever their sizes.
void FindExactNeighbours(
    const FeatureRows& bank, const FeatureRows& queries, int64_t k, bool leave_one_out,
    const std::function<void(int64_t from, const Neighbours& neighbours)>& take);

struct KnnOptions {
  int64_t k = 200;           // neighbours that vote; more than the bank holds means all
  double temperature = 0.1;  // a vote weighs exp(cosine similarity / temperature)
  int64_t classes = 0;
};

// The class of each query by the weighted vote of its nearest neighbours in the bank (Wu et al.,
// "Unsupervised feature learning via non-parametric instance discrimination", CVPR 2018,
// section 3.4).
//   bank: M x D, bank_labels: M int64 in [0, classes), queries: N x D.
// Returns N int64.
at::Tensor KnnPredict(const at::Tensor& bank, const at::Tensor& bank_labels,
                      const at::Tensor& queries, const KnnOptions& options);

// Share of queries that are given their own class, 0 to 1.
double KnnAccuracy(const at::Tensor& bank, const at::Tensor& bank_labels, const at::Tensor& queries,
                   const at::Tensor& query_labels, const KnnOptions& options);

struct KnnGrid {
  int64_t classes = 0;
  std::vector<int64_t> k;  // rising
  std::vector<double> temperature;
  bool leave_one_out = false;  // as for FindExactNeighbours
};

// KnnAccuracy for every k and temperature of a grid: [k][temperature]. The neighbours are looked
// for once. `progress` is called with the number of queries that are done.
std::vector<std::vector<double>> KnnAccuracies(const LabelledRows& bank,
                                               const LabelledRows& queries, const KnnGrid& grid,
                                               const std::function<void(int64_t done)>& progress);

}  // namespace moco

#endif  // MOCO_MEASURES_KNN_H_
