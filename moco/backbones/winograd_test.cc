#include "moco/backbones/winograd.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <tuple>

namespace moco {
namespace {

struct Shape {
  int64_t images, in, out, rows, cols;
};
// With tiles that are cut off below and at the right; more and fewer tiles than are computed at a
// time, and so many that the last ones are left over; channels beside multiples of vectors.
constexpr Shape kShapes[] = {{1, 1, 1, 1, 1},     {2, 3, 5, 2, 2},    {1, 5, 3, 3, 4},
                             {3, 17, 20, 5, 7},   {2, 70, 64, 9, 8},  {1, 33, 130, 1, 6},
                             {5, 64, 64, 14, 14}, {4, 8, 24, 40, 31}, {9, 128, 96, 7, 7}};

at::Tensor Random(at::IntArrayRef sizes) {
  return at::randn(sizes).contiguous(at::MemoryFormat::ChannelsLast);
}

struct Example {
  explicit Example(const Shape& shape) {
    at::manual_seed(3);
    x = Random({shape.images, shape.in, shape.rows, shape.cols});
    weight = Random({shape.out, shape.in, 3, 3});
    dy = Random({shape.images, shape.out, shape.rows, shape.cols});
  }
  at::Tensor x, weight, dy;
};

// The largest difference, over the largest value.
double Error(const at::Tensor& result, const at::Tensor& right) {
  return ((result.to(at::kDouble) - right).abs().max() / right.abs().max()).item<double>();
}

TEST(WinogradTest, IsTheConvolutionAndItsGradients) {
  for (const Shape& shape : kShapes) {
    const Example example(shape);
    const at::Tensor x = example.x.to(at::kDouble), weight = example.weight.to(at::kDouble),
                     dy = example.dy.to(at::kDouble);
    const auto [dx, dweight, unused] =
        at::convolution_backward(dy, x, weight, at::OptionalIntArrayRef(), {1, 1}, {1, 1}, {1, 1},
                                 false, {0, 0}, 1, {true, true, false});
    const at::Tensor results[] = {WinogradConvolution(example.x, example.weight),
                                  WinogradInputGradient(example.dy, example.weight),
                                  WinogradWeightGradient(example.x, example.dy)};
    const at::Tensor right[] = {at::conv2d(x, weight, {}, /*stride=*/1, /*padding=*/1), dx,
                                dweight};
    for (int i = 0; i < 3; ++i) {
      ASSERT_EQ(results[i].sizes(), right[i].sizes());
      EXPECT_TRUE(results[i].is_contiguous(at::MemoryFormat::ChannelsLast));
      // A float has 24 bits of mantissa: 6e-8.
      EXPECT_LT(Error(results[i], right[i]), 2e-6)
          << i << " of " << shape.images << " " << shape.in << " " << shape.rows;
    }
  }
}

TEST(WinogradTest, TakesTensorsInAnyOrder) {
  const Example example({3, 17, 20, 5, 7});
  const at::Tensor x = example.x.contiguous(), weight = example.weight.contiguous(),
                   dy = example.dy.contiguous();
  EXPECT_TRUE(WinogradConvolution(x, weight).equal(WinogradConvolution(example.x, example.weight)));
  EXPECT_TRUE(
      WinogradInputGradient(dy, weight).equal(WinogradInputGradient(example.dy, example.weight)));
  EXPECT_TRUE(WinogradWeightGradient(x, dy).equal(WinogradWeightGradient(example.x, example.dy)));
}

TEST(WinogradTest, DoesNotDependOnTheNumberOfThreads) {
  const Example example({25, 64, 96, 14, 13});
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor y = WinogradConvolution(example.x, example.weight),
                   dx = WinogradInputGradient(example.dy, example.weight),
                   dweight = WinogradWeightGradient(example.x, example.dy);
  for (int threads : {2, 5}) {
    at::set_num_threads(threads);
    EXPECT_TRUE(WinogradConvolution(example.x, example.weight).equal(y)) << threads;
    EXPECT_TRUE(WinogradInputGradient(example.dy, example.weight).equal(dx)) << threads;
    EXPECT_TRUE(WinogradWeightGradient(example.x, example.dy).equal(dweight)) << threads;
  }
  at::set_num_threads(before);
}

TEST(WinogradTest, CountsTilesAtTheEdge) {
  EXPECT_EQ(CountTiles(at::randn({3, 1, 4, 6})), 3 * 2 * 3);
  EXPECT_EQ(CountTiles(at::randn({3, 1, 5, 7})), 3 * 3 * 4);
}

}  // namespace
}  // namespace moco
