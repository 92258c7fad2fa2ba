#include "moco/health.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/stack.h>

#include <algorithm>

namespace moco {
namespace {

at::Tensor Dot(const at::Tensor& a, const at::Tensor& b) { return (a * b).sum().to(at::kDouble); }

}  // namespace

Similarities Similarities::Of(const at::Tensor& three) {
  const at::Tensor numbers = three.cpu();
  const double* values = numbers.const_data_ptr<double>();
  return {values[0], values[1], values[2]};
}

Similarities& Similarities::operator+=(const Similarities& other) {
  own += other.own;
  batch += other.batch;
  earlier += other.earlier;
  return *this;
}

at::Tensor Compare(const at::Tensor& q, const at::Tensor& k, const at::Tensor& last,
                   const at::Tensor& before) {
  at::NoGradGuard no_grad;
  const double n = q.size(0);
  // The sum over all pairs of q . k is the product of the sums.
  const at::Tensor queries = q.detach().sum(0);
  const at::Tensor own = Dot(q.detach(), k);
  at::Tensor earlier = Dot(queries, last.mean(0)) / n;
  if (before.defined()) earlier = earlier + (earlier - Dot(queries, before.mean(0)) / n);
  const at::Tensor batch = n > 1 ? (Dot(queries, k.sum(0)) - own) / (n * (n - 1)) : earlier;
  return at::stack({own / n, batch, earlier});
}

void MeasureSpread(const at::Tensor& keys, Health& health) {
  at::NoGradGuard no_grad;
  const at::Tensor centred = keys - keys.mean(0);
  const at::Tensor covariance = at::matmul(centred.t(), centred) / keys.size(0);
  health.spread = covariance.diagonal().sum().item<double>();
  const double squares = Dot(covariance, covariance).item<double>();
  health.dimensions = squares > 0 ? health.spread * health.spread / squares : 1;
}

void MeasureLeak(const Similarities& sums, Health& health) {
  const double likeness = sums.own - sums.earlier;
  health.leak = likeness > 0 ? std::clamp((sums.batch - sums.earlier) / likeness, 0.0, 1.0) : 0;
}

}  // namespace moco
