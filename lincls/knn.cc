#include "lincls/knn.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <vector>

namespace lincls {
namespace {

constexpr int64_t kBlock = 1024;  // queries at a time

at::Tensor Normalize(const at::Tensor& x) {
  return x / at::linalg_vector_norm(x, 2, /*dim=*/1, /*keepdim=*/true).clamp_min(1e-12);
}

}  // namespace

at::Tensor KnnPredict(const at::Tensor& bank, const at::Tensor& bank_labels,
                      const at::Tensor& queries, const KnnOptions& options) {
  at::NoGradGuard no_grad;
  const at::Tensor keys = Normalize(bank).t();  // D x M
  const at::Tensor normalized = Normalize(queries);
  const int64_t k = std::min(options.k, bank.size(0));
  std::vector<at::Tensor> predictions;
  for (int64_t from = 0; from < queries.size(0); from += kBlock) {
    const int64_t n = std::min(kBlock, queries.size(0) - from);
    const auto [similarity, index] = at::matmul(normalized.narrow(0, from, n), keys).topk(k, 1);
    const at::Tensor labels = bank_labels.index_select(0, index.flatten()).view({n, k});
    at::Tensor votes = at::zeros({n, options.classes}, similarity.options());
    votes.scatter_add_(1, labels, (similarity / options.temperature).exp());
    predictions.push_back(votes.argmax(1));
  }
  return predictions.empty() ? at::zeros({0}, bank_labels.options()) : at::cat(predictions);
}

double KnnAccuracy(const at::Tensor& bank, const at::Tensor& bank_labels, const at::Tensor& queries,
                   const at::Tensor& query_labels, const KnnOptions& options) {
  const at::Tensor right = KnnPredict(bank, bank_labels, queries, options) == query_labels;
  return right.to(at::kDouble).mean().item<double>();
}

}  // namespace lincls
