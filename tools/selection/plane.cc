#include "tools/selection/plane.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <tuple>

#include "base/rng.h"

namespace selection {
namespace {

// More directions than needed, so that the needed ones converge, and enough rounds for a picture.
constexpr int64_t kDirections = 8;
constexpr int kRounds = 12;

at::Tensor Orthonormal(const at::Tensor& columns) { return std::get<0>(at::linalg_qr(columns)); }

}  // namespace

at::Tensor Plane::Project(const at::Tensor& rows) const { return at::matmul(rows.sub(mean), axes); }

Plane PrincipalPlane(const at::Tensor& rows, base::Rng rng) {
  const int64_t dim = rows.size(1);
  Plane plane;
  plane.mean = rows.mean(0);
  const at::Tensor centred = rows.sub(plane.mean);

  at::Tensor directions = at::empty({dim, std::min(kDirections, dim)}, rows.options());
  for (float *p = directions.mutable_data_ptr<float>(), *end = p + directions.numel(); p < end;
       ++p) {
    *p = static_cast<float>(rng.Uniform(-1, 1));
  }
  directions = Orthonormal(directions);
  for (int round = 0; round < kRounds; ++round) {
    directions = Orthonormal(at::matmul(centred.t(), at::matmul(centred, directions)));
  }
  // Within the subspace found, the components are exact (Rayleigh-Ritz).
  const at::Tensor scores = at::matmul(centred, directions);
  const auto [variances, turn] = at::linalg_eigh(at::matmul(scores.t(), scores).to(at::kDouble));

  plane.axes = at::zeros({dim, 2}, rows.options());
  plane.shares = {0, 0};
  const double all = centred.square().sum(at::kDouble).item<double>();
  const int64_t found = variances.numel();  // ascending
  for (int64_t i = 0; i < std::min<int64_t>(2, found); ++i) {
    at::Tensor axis = at::matmul(directions, turn.select(1, found - 1 - i).to(at::kFloat));
    if (axis.take(axis.abs().argmax()).item<float>() < 0) axis = axis.neg();
    plane.axes.select(1, i).copy_(axis);
    if (all > 0) {
      plane.shares[i] =
          std::clamp(variances.select(0, found - 1 - i).item<double>() / all, 0.0, 1.0);
    }
  }
  return plane;
}

}  // namespace selection
