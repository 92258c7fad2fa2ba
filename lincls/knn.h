// k-nearest-neighbour classification on features: how good an encoder is, without training
// anything.
#ifndef LINCLS_KNN_H_
#define LINCLS_KNN_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace lincls {

struct KnnOptions {
  int64_t k = 200;           // neighbours that vote; more than the bank holds means all
  double temperature = 0.1;  // a vote weighs exp(cosine similarity / temperature)
  int64_t classes = 0;
};

// The class of each query by the weighted vote of its nearest neighbours in the bank (Wu et al.,
// "Unsupervised feature learning via non-parametric instance discrimination", CVPR 2018,
// section 3.4).
//   bank: M x D, bank_labels: M int64 in [0, classes), queries: N x D. Features need not be
//   normalised.
// Returns N int64. Works through the queries in blocks, so that N x M need not fit.
at::Tensor KnnPredict(const at::Tensor& bank, const at::Tensor& bank_labels,
                      const at::Tensor& queries, const KnnOptions& options);

// Share of queries that are given their own class, 0 to 1.
double KnnAccuracy(const at::Tensor& bank, const at::Tensor& bank_labels, const at::Tensor& queries,
                   const at::Tensor& query_labels, const KnnOptions& options);

}  // namespace lincls

#endif  // LINCLS_KNN_H_
