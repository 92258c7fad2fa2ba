#include "tools/selection/plane.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/full.h>
#include <ATen/ops/matmul.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

#include "base/rng.h"

namespace selection {
namespace {

// n rows of `dim` whose deviation is `wide` along the axis `a`, `less` along `b` and 0.1 along all
// others, around a mean of 5.
at::Tensor Ellipsoid(int64_t n, int64_t dim, int64_t a, double wide, int64_t b, double less) {
  at::Tensor rows = at::empty({n, dim}, at::kFloat);
  base::Rng rng(1, base::Purpose::kTest);
  float* value = rows.mutable_data_ptr<float>();
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t d = 0; d < dim; ++d) {
      const double deviation = d == a ? wide : d == b ? less : 0.1;
      // The uniform distribution of deviation 1.
      *value++ = static_cast<float>(5 + deviation * rng.Uniform(-std::sqrt(3.0), std::sqrt(3.0)));
    }
  }
  return rows;
}

base::Rng Start(uint64_t seed) { return base::Rng(seed, base::Purpose::kTest, 1); }

TEST(PlaneTest, FindsTheWidestDirections) {
  const at::Tensor rows = Ellipsoid(3000, 40, 7, 4, 31, 2);
  const Plane plane = PrincipalPlane(rows, Start(0));
  EXPECT_GT(plane.axes[7][0].item<float>(), 0.999);
  EXPECT_GT(plane.axes[31][1].item<float>(), 0.999);
  const double all = 16 + 4 + 38 * 0.01;
  EXPECT_NEAR(plane.shares[0], 16 / all, 0.03);
  EXPECT_NEAR(plane.shares[1], 4 / all, 0.03);
  const at::Tensor projected = plane.Project(rows);
  ASSERT_EQ(projected.sizes(), at::IntArrayRef({3000, 2}));
  EXPECT_LT(projected.mean(0).abs().max().item<float>(), 1e-3);
  EXPECT_NEAR(projected.select(1, 0).std().item<float>(), 4, 0.15);
  EXPECT_LT(at::matmul(plane.axes.t(), plane.axes).sub(at::eye(2)).abs().max().item<float>(), 1e-4);
}

TEST(PlaneTest, OneRowOneDimensionAndRowsThatAreAllEqual) {
  const Plane one = PrincipalPlane(at::full({1, 5}, 2.0, at::kFloat), Start(0));
  EXPECT_EQ(one.shares[0], 0);
  EXPECT_EQ(one.Project(at::full({1, 5}, 2.0, at::kFloat)).abs().max().item<float>(), 0);

  const at::Tensor line = Ellipsoid(100, 1, 0, 3, 0, 3);
  const Plane flat = PrincipalPlane(line, Start(0));
  EXPECT_EQ(flat.axes[0][0].item<float>(), 1);
  EXPECT_NEAR(flat.shares[0], 1, 1e-4);
  EXPECT_EQ(flat.shares[1], 0);
  EXPECT_EQ(flat.Project(line).select(1, 1).abs().max().item<float>(), 0);

  const Plane equal = PrincipalPlane(at::full({50, 20}, 0.3, at::kFloat), Start(0));
  EXPECT_TRUE(equal.Project(at::full({2, 20}, 0.3, at::kFloat)).isfinite().all().item<bool>());
}

TEST(PlaneTest, IsAFunctionOfTheRowsAndTheStart) {
  const at::Tensor rows = Ellipsoid(200, 12, 1, 2, 2, 1);
  EXPECT_TRUE(PrincipalPlane(rows, Start(3)).axes.equal(PrincipalPlane(rows, Start(3)).axes));
  // Another start comes to the same plane.
  EXPECT_LT(PrincipalPlane(rows, Start(3))
                .axes.sub(PrincipalPlane(rows, Start(4)).axes)
                .abs()
                .max()
                .item<float>(),
            1e-3);
}

}  // namespace
}  // namespace selection
