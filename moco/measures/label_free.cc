#include "moco/measures/label_free.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/linalg_cholesky_ex.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/linalg_solve_triangular.h>
#include <ATen/ops/linalg_svdvals.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros_like.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <utility>

#include "moco/measures/feature_rows.h"
#include "moco/measures/measure_names.h"

namespace moco {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kEpsilon = 1e-7;  // of p, for RankMe and LiDAR
constexpr double kDelta = 1e-4;    // of W
constexpr int64_t kBlock = 1024;   // rows of the matrix of similarities that are held at once

at::Tensor Doubles(const at::Tensor& x) { return x.detach().to(at::kCPU, at::kDouble); }

bool Finite(const at::Tensor& x) { return at::isfinite(x).all().item<bool>(); }

// exp(-sum p log p), p = values / sum + epsilon, of `values` (not negative) and as many zeros as
// make `count` values. If all are 0, it is that of a single direction, which rounding makes of them
// anyway.
double EffectiveRank(const at::Tensor& values, int64_t count) {
  const double sum = values.sum().item<double>();
  at::Tensor p = sum > 0 ? values / sum : at::zeros_like(values);
  if (sum <= 0) p[0] = 1;
  p += kEpsilon;
  const double zeros = static_cast<double>(count - values.numel());
  return std::exp(-(p * p.log()).sum().item<double>() - zeros * kEpsilon * std::log(kEpsilon));
}

}  // namespace

double RankMe(const at::Tensor& features) {
  at::NoGradGuard no_grad;
  const at::Tensor x = Doubles(features);
  if (x.numel() == 0 || !Finite(x)) return kNan;
  return EffectiveRank(at::linalg_svdvals(x), std::min(x.size(0), x.size(1)));
}

double Lidar(const at::Tensor& views) {
  at::NoGradGuard no_grad;
  const at::Tensor x = Doubles(views);  // N x V x D
  const int64_t n = x.size(0), v = x.size(1), d = x.size(2);
  if (n < 2 || v < 2 || d == 0 || !Finite(x)) return kNan;
  const at::Tensor means = x.mean(1, /*keepdim=*/true);                 // N x 1 x D
  const at::Tensor between = (means - means.mean(0, true)).squeeze(1);  // N x D
  const at::Tensor within = (x - means).reshape({n * v, d});            // N V x D
  const at::Tensor w = at::matmul(within.t(), within) / static_cast<double>(n * v);
  // With W = L L^T, the eigenvalues of W^-1/2 B W^-1/2 are those of L^-1 B L^-T, and B is a product
  // of a matrix with its transpose: they are the squares of singular values.
  const at::Tensor factor = between.t() / std::sqrt(static_cast<double>(n));  // D x N
  const auto [lower, failed] =
      at::linalg_cholesky_ex(w + kDelta * at::eye(d, at::kDouble), /*upper=*/false);
  at::Tensor whitened;
  if (failed.item<int>() == 0) {
    whitened = at::linalg_solve_triangular(lower, factor, /*upper=*/false);
  } else {
    // The features are so large that what rounding does to w is more than kDelta. Its eigenvalues
    // are not negative by definition.
    const auto [values, vectors] = at::linalg_eigh(w);
    const at::Tensor scale = (values.clamp_min(0) + kDelta).rsqrt();
    whitened = scale.unsqueeze(1) * at::matmul(vectors.t(), factor);
  }
  return EffectiveRank(at::linalg_svdvals(whitened).square(), d);
}

at::Tensor Alignments(const at::Tensor& views) {
  at::NoGradGuard no_grad;
  const at::Tensor x = Doubles(views);
  const int64_t n = x.size(0), v = x.size(1), d = x.size(2);
  const at::Tensor z = UnitRows(x.reshape({n * v, d})).view({n, v, d});
  // The sum over all pairs of |a - b|^2 is V times the sum of |a|^2, less |the sum of all|^2.
  const at::Tensor lengths = z.square().sum(2).sum(1), sum = z.sum(1);
  const double count = static_cast<double>(v);
  return (count * lengths - sum.square().sum(1)) / (count * (count - 1) / 2);
}

double Alignment(const at::Tensor& views) {
  if (views.size(0) == 0 || views.size(1) < 2) return kNan;
  return Alignments(views).mean().item<double>();
}

double Uniformity(const at::Tensor& features) {
  at::NoGradGuard no_grad;
  const at::Tensor z = UnitRows(Doubles(features));
  const int64_t n = z.size(0);
  if (n < 2) return kNan;
  const at::Tensor lengths = z.square().sum(1);  // 1, or 0 of rows that are 0
  double sum = 0;
  for (int64_t from = 0; from < n; from += kBlock) {
    const int64_t count = std::min(kBlock, n - from), rest = n - from;
    const at::Tensor own = z.narrow(0, from, count), later = z.narrow(0, from, rest);
    const at::Tensor distances =
        (lengths.narrow(0, from, count).unsqueeze(1) + lengths.narrow(0, from, rest).unsqueeze(0) -
         2 * at::matmul(own, later.t()))
            .clamp_min(0);  // count x rest
    sum += (-2 * distances).exp().triu(/*diagonal=*/1).sum().item<double>();
  }
  return std::log(sum / (0.5 * static_cast<double>(n) * static_cast<double>(n - 1)));
}

std::vector<double> MeasureAll(const ViewFeatures& features) {
  using Measure = double (*)(const ViewFeatures&);
  static const std::pair<const char*, Measure> kMeasures[] = {
      {"rankme", [](const ViewFeatures& f) { return RankMe(f.plain); }},
      {"lidar", [](const ViewFeatures& f) { return Lidar(f.views); }},
      {"alignment", [](const ViewFeatures& f) { return Alignment(f.views); }},
      {"uniformity", [](const ViewFeatures& f) { return Uniformity(f.plain); }}};
  std::vector<double> values;
  for (const MeasureName& name : MeasureNames()) {
    const auto found = std::find_if(std::begin(kMeasures), std::end(kMeasures),
                                    [&](const auto& each) { return name.name == each.first; });
    TORCH_CHECK(found != std::end(kMeasures), "no function for the measure ", name.name);
    try {
      values.push_back(found->second(features));
    } catch (const c10::LinAlgError&) {  // LAPACK did not converge; the run should not end for that
      values.push_back(kNan);
    }
  }
  return values;
}

}  // namespace moco
