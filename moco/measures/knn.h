// k-nearest-neighbour classification on features, which measures an encoder without training
// anything. The monitor of pretraining and the program `knn` use the same code.
#ifndef MOCO_MEASURES_KNN_H_
#define MOCO_MEASURES_KNN_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "moco/measures/feature_rows.h"

namespace moco {

// The most similar rows of a bank for each of N queries, the most similar first. Equally similar
// rows are ordered as in the bank.
struct Neighbours {
  at::Tensor similarity;  // N x k float32: cosine, -1 to 1
  at::Tensor index;       // N x k int64: rows of the bank
};

// Calls `take` with the neighbours of each block of queries, which begins with query `from`. k is
// at least 1; if the bank has fewer rows, all of them are returned. The bank must have at least 1
// row, 2 with leave_one_out. Features need not be normalised; values that are not finite count as
// 0.
//   leave_one_out: the queries are the bank, and no row is its own neighbour.
// The bank is read once for each block of queries. Neither the bank nor the queries x bank
// similarities need to fit into memory: the search takes a few hundred MB, whatever the sizes.
void FindExactNeighbours(
    const FeatureRows& bank, const FeatureRows& queries, int64_t k, bool leave_one_out,
    const std::function<void(int64_t from, const Neighbours& neighbours)>& take);

struct KnnOptions {
  int64_t k = 200;           // number of neighbours that vote; all if the bank has fewer
  double temperature = 0.1;  // the weight of a vote is exp(cosine similarity / temperature)
  int64_t classes = 0;
};

// Returns the class of each query by the weighted vote of its nearest neighbours in the bank (Wu et
// al., "Unsupervised feature learning via non-parametric instance discrimination", CVPR 2018,
// section 3.4).
//   bank: M x D, bank_labels: M int64 in [0, classes), queries: N x D.
// Returns N int64.
at::Tensor KnnPredict(const at::Tensor& bank, const at::Tensor& bank_labels,
                      const at::Tensor& queries, const KnnOptions& options);

// Returns the share of queries whose predicted class is right, 0 to 1.
double KnnAccuracy(const at::Tensor& bank, const at::Tensor& bank_labels, const at::Tensor& queries,
                   const at::Tensor& query_labels, const KnnOptions& options);

struct KnnGrid {
  int64_t classes = 0;
  std::vector<int64_t> k;  // in ascending order
  std::vector<double> temperature;
  bool leave_one_out = false;  // as for FindExactNeighbours
};

// Returns KnnAccuracy for every k and temperature of a grid: [k][temperature]. The neighbours are
// searched once. `progress` is called with the number of queries that are done.
std::vector<std::vector<double>> KnnAccuracies(const LabelledRows& bank,
                                               const LabelledRows& queries, const KnnGrid& grid,
                                               const std::function<void(int64_t done)>& progress);

}  // namespace moco

#endif  // MOCO_MEASURES_KNN_H_
