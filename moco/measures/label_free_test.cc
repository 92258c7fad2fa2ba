#include "moco/measures/label_free.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_eigvals.h>
#include <ATen/ops/linalg_inv.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/real.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include "moco/measures/measure_names.h"

namespace moco {
namespace {

// x[i][v][j] = sin(7 i + 2 i j + 0.5 j^2) + 0.3 sin(3 v (j + 1) + i j + v): numbers that every
// language makes alike.
at::Tensor Views(int64_t n, int64_t v, int64_t d) {
  at::Tensor x = at::zeros({n, v, d}, at::kDouble);
  auto values = x.accessor<double, 3>();
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t a = 0; a < v; ++a) {
      for (int64_t j = 0; j < d; ++j) {
        values[i][a][j] = std::sin(7.0 * i + 2.0 * i * j + 0.5 * j * j) +
                          0.3 * std::sin(3.0 * a * (j + 1) + i * j + a);
      }
    }
  }
  return x;
}

// k equal singular values among the rows, in random directions.
at::Tensor OfRank(int64_t n, int64_t d, int64_t k) {
  const at::Tensor left = std::get<0>(at::linalg_qr(at::randn({n, k}, at::kDouble)));
  const at::Tensor right = std::get<0>(at::linalg_qr(at::randn({d, k}, at::kDouble)));
  return 3 * at::matmul(left, right.t());
}

TEST(RankMeTest, CountsDirections) {
  at::manual_seed(1);
  for (const int64_t k : {1, 3, 10}) {
    EXPECT_NEAR(RankMe(OfRank(50, 20, k)), k, 1e-3) << k;
    EXPECT_NEAR(RankMe(OfRank(20, 50, k)), k, 1e-3) << k;
  }
  EXPECT_NEAR(RankMe(at::ones({30, 8})), 1, 1e-4);
  EXPECT_NEAR(RankMe(at::zeros({30, 8})), RankMe(at::ones({30, 8})), 1e-9) << "collapsed";
  const at::Tensor x = at::randn({40, 9}, at::kDouble);
  EXPECT_NEAR(RankMe(x), RankMe(1e3 * x), 1e-9) << "the unit does not matter";
}

// The definition, with loops and without factorisations: the eigenvalues of W^-1 B.
TEST(LidarTest, IsItsDefinition) {
  at::manual_seed(2);
  for (const auto& [n, v, d] : {std::tuple(30, 4, 6), std::tuple(4, 3, 9)}) {
    const at::Tensor x =
        at::randn({n, 1, d}, at::kDouble) + 0.3 * at::randn({n, v, d}, at::kDouble);
    const at::Tensor mean = x.mean(std::vector<int64_t>{0, 1});
    at::Tensor between = at::zeros({d, d}, at::kDouble), within = 1e-4 * at::eye(d, at::kDouble);
    for (int64_t i = 0; i < n; ++i) {
      const at::Tensor own = x[i].mean(0), way = (own - mean).unsqueeze(1);
      between += at::matmul(way, way.t()) / n;
      for (int64_t a = 0; a < v; ++a) {
        const at::Tensor away = (x[i][a] - own).unsqueeze(1);
        within += at::matmul(away, away.t()) / (n * v);
      }
    }
    const at::Tensor l =
        at::real(at::linalg_eigvals(at::matmul(at::linalg_inv(within), between))).clamp_min(0);
    const at::Tensor p = l / l.sum() + 1e-7;
    EXPECT_NEAR(Lidar(x), std::exp(-(p * p.log()).sum().item<double>()), 1e-8);
  }
}

// Features of an encoder whose loss diverges: what rounding does to W is more than the 1e-4.
TEST(LidarTest, LargeFeaturesHaveAValue) {
  at::manual_seed(5);
  const at::Tensor x = at::randn({4, 2, 20}, at::kDouble);
  for (const double scale : {1e5, 1e7, 1e9}) {
    const double lidar = Lidar(scale * x);
    EXPECT_GE(lidar, 1) << scale;
    EXPECT_LE(lidar, 3.1) << scale;
  }
}

TEST(LidarTest, DirectionsOfViewsDoNotCount) {
  at::manual_seed(3);
  const at::Tensor images = at::cat({OfRank(200, 6, 3), at::zeros({200, 4}, at::kDouble)}, 1);
  const at::Tensor views = images.unsqueeze(1) + 1e-2 * at::randn({200, 5, 10}, at::kDouble);
  EXPECT_NEAR(Lidar(views), 3, 0.3);
  // RankMe counts what only the views change.
  const at::Tensor jittered =
      images.unsqueeze(1) +
      at::cat({at::zeros({200, 5, 6}, at::kDouble), at::randn({200, 5, 4}, at::kDouble)}, 2);
  EXPECT_NEAR(Lidar(jittered), 3, 0.3);
  EXPECT_GT(RankMe(jittered.reshape({1000, 10})), 4);
  EXPECT_NEAR(Lidar(at::ones({7, 3, 4})), 1, 1e-4);
  // Rounding makes a tiny difference of the means, or none.
  EXPECT_NEAR(Lidar(at::ones({7, 3, 4})), Lidar(at::ones({7, 3, 4}, at::kDouble) / 3), 1e-9);
}

TEST(AlignmentTest, IsTheMeanOverPairs) {
  at::manual_seed(4);
  const at::Tensor x = at::randn({5, 4, 3}, at::kDouble);
  const at::Tensor each = Alignments(x);
  for (int64_t i = 0; i < 5; ++i) {
    double sum = 0;
    for (int64_t a = 0; a < 4; ++a) {
      for (int64_t b = 0; b < a; ++b) {
        sum += (x[i][a] / x[i][a].norm() - x[i][b] / x[i][b].norm()).square().sum().item<double>();
      }
    }
    EXPECT_NEAR(each[i].item<double>(), sum / 6, 1e-12);
  }
  EXPECT_NEAR(Alignment(x), each.mean().item<double>(), 1e-12);
  EXPECT_NEAR(Alignment(at::stack({x.select(1, 0), 2 * x.select(1, 0)}, 1)), 0, 1e-12);
  EXPECT_NEAR(Alignment(at::stack({x.select(1, 0), -x.select(1, 0)}, 1)), 4, 1e-12);
}

TEST(UniformityTest, IsOverPairsOfDifferentImages) {
  at::manual_seed(5);
  const at::Tensor x = at::randn({6, 3}, at::kDouble);
  double sum = 0;
  for (int64_t a = 0; a < 6; ++a) {
    for (int64_t b = 0; b < a; ++b) {
      sum += std::exp(-2 * (x[a] / x[a].norm() - x[b] / x[b].norm()).square().sum().item<double>());
    }
  }
  EXPECT_NEAR(Uniformity(x), std::log(sum / 15), 1e-12);
  EXPECT_NEAR(Uniformity(at::ones({9, 4})), 0, 1e-12);
  // Two opposite points, half of the images each: 4 of 6 pairs are at a distance of 2.
  const at::Tensor two = at::cat({at::ones({2, 3}), -at::ones({2, 3})});
  EXPECT_NEAR(Uniformity(two), std::log((2 + 4 * std::exp(-8.0)) / 6), 1e-9);
  // More rows than one block of the computation: the same numbers twice.
  const at::Tensor many = at::randn({1500, 4}, at::kDouble);
  const at::Tensor unit = many / many.norm(2, {1}, /*keepdim=*/true);
  const at::Tensor all = (-2 * (2 - 2 * at::matmul(unit, unit.t()))).exp();
  EXPECT_NEAR(Uniformity(many), std::log((all.sum().item<double>() - 1500) / (1500.0 * 1499)),
              1e-9);
}

// NumPy computed these (tests/parity/measures_test.py has the functions).
TEST(MeasureAllTest, NumbersOfNumPy) {
  const at::Tensor views = Views(12, 3, 5);
  const std::vector<double> values = MeasureAll({views.select(1, 0), views});
  ASSERT_EQ(values.size(), MeasureNames().size());
  EXPECT_NEAR(values[0], 4.789642545950407, 1e-9);
  EXPECT_NEAR(values[1], 3.356575495353959, 1e-9);
  EXPECT_NEAR(values[2], 0.13540057889189727, 1e-9);
  EXPECT_NEAR(values[3], -2.9534329316649925, 1e-9);
}

TEST(MeasureAllTest, TooFewImagesOrNoNumbers) {
  for (const double value : MeasureAll({at::zeros({0, 4}), at::zeros({0, 3, 4})})) {
    EXPECT_TRUE(std::isnan(value));
  }
  const at::Tensor one = at::ones({1, 1, 4});
  const std::vector<double> values = MeasureAll({one[0], one});
  EXPECT_NEAR(values[0], 1, 1e-4);  // of one image
  for (size_t i = 1; i < values.size(); ++i) EXPECT_TRUE(std::isnan(values[i])) << i;
  const at::Tensor broken = at::ones({4, 3, 2}) / at::zeros({2});
  for (const double value : MeasureAll({broken.select(1, 0), broken})) {
    EXPECT_FALSE(std::isfinite(value));
  }
}

TEST(MeasureNamesTest, NamesDiffer) {
  std::vector<std::string> names = MeasureMetrics();
  EXPECT_EQ(names.size(), 2 * MeasureNames().size());
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

}  // namespace
}  // namespace moco
