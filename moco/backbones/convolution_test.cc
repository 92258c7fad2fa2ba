#include "moco/backbones/convolution.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>

#include <optional>
#include <string>
#include <tuple>

#include "moco/backbones/autocast.h"

namespace moco {
namespace {

struct Shape {
  int64_t in, out, kernel, stride, rows, cols;
};
constexpr Shape kShapes[] = {
    {3, 4, 1, 1, 3, 3}, {5, 4, 1, 2, 6, 5},  {3, 7, 3, 1, 3, 4},
    {4, 6, 3, 2, 7, 6}, {3, 2, 7, 2, 9, 11},
};

Conv2d Make(const Shape& shape) {
  at::manual_seed(3);
  return Conv2d(torch::nn::Conv2dOptions(shape.in, shape.out, shape.kernel)
                    .stride(shape.stride)
                    .padding(shape.kernel / 2)
                    .bias(false));
}

at::Tensor Images(const Shape& shape) { return at::randn({5, shape.in, shape.rows, shape.cols}); }

TEST(ConvolutionTest, TheProductIsTheWeightGradient) {
  for (const Shape& shape : kShapes) {
    Conv2d conv = Make(shape);
    const at::Tensor x = Images(shape).to(at::kDouble), weight = conv->weight.to(at::kDouble);
    const int64_t padding = shape.kernel / 2;
    const at::Tensor y = at::conv2d(x, weight, {}, shape.stride, padding);
    const at::Tensor dy = at::randn(y.sizes(), at::kDouble);
    const at::Tensor right = std::get<1>(at::convolution_backward(
        dy, x, weight, at::OptionalIntArrayRef(), {shape.stride, shape.stride}, {padding, padding},
        {1, 1}, false, {0, 0}, 1, {false, true, false}));
    for (const auto format : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
      const at::Tensor product = ProductWeightGradient(x.contiguous(format), dy.contiguous(format),
                                                       shape.kernel, shape.stride, padding);
      EXPECT_TRUE(at::allclose(product, right, 1e-12, 1e-12)) << shape.kernel << shape.stride;
      EXPECT_TRUE(product.is_contiguous(at::MemoryFormat::ChannelsLast));
    }
  }
}

// Gradients of x and the weights, after the output.
struct Pass {
  at::Tensor y, dx, dweight;
  std::string function;
};

Pass PassOf(Conv2d& conv, const at::Tensor& images, const at::Tensor& dy, bool bf16, bool plain) {
  const at::Tensor x = images.detach().clone().set_requires_grad(true);
  conv->zero_grad();
  at::Tensor y;
  {
    std::optional<Bf16Autocast> autocast;
    if (bf16) autocast.emplace(at::kCPU);
    y = plain ? conv->torch::nn::Conv2dImpl::forward(x) : conv->forward(x);
  }
  y.backward(dy.to(y.dtype()));
  return {y.detach(), x.grad(), conv->weight.grad(), y.grad_fn()->name()};
}

double Difference(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).norm() / b.norm()).item<double>();
}

TEST(ConvolutionTest, InFloatALargeOneIsWinograds) {
  for (const Shape& shape :
       {Shape{64, 64, 3, 1, 12, 14}, {70, 100, 3, 1, 12, 11}, {256, 300, 3, 1, 11, 9}}) {
    Conv2d conv = Make(shape);
    const at::Tensor x = Images(shape).contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor dy = at::randn({5, shape.out, shape.rows, shape.cols});
    const Pass ours = PassOf(conv, x, dy, /*bf16=*/false, /*plain=*/false);
    const Pass plain = PassOf(conv, x, dy, /*bf16=*/false, /*plain=*/true);
    EXPECT_NE(ours.function, plain.function) << "Winograd's convolution was not used";
    EXPECT_LT(Difference(ours.y, plain.y), 2e-6);
    EXPECT_LT(Difference(ours.dx, plain.dx), 2e-6);
    EXPECT_LT(Difference(ours.dweight, plain.dweight), 2e-6);
    at::NoGradGuard no_grad;
    EXPECT_TRUE(conv->forward(x).equal(ours.y));
  }
}

TEST(ConvolutionTest, GradientsOfWeightsAloneAndOfImagesAlone) {
  const Shape shape = {64, 64, 3, 1, 12, 14};
  Conv2d conv = Make(shape);
  at::Tensor x = Images(shape).contiguous(at::MemoryFormat::ChannelsLast);
  conv->forward(x).sum().backward();
  EXPECT_TRUE(conv->weight.grad().defined());
  EXPECT_FALSE(x.grad().defined());
  conv->zero_grad();
  conv->weight.set_requires_grad(false);
  x.set_requires_grad(true);
  conv->forward(x).sum().backward();
  EXPECT_FALSE(conv->weight.grad().defined());
  EXPECT_TRUE(x.grad().defined());
}

// Shapes for which oneDNN is faster, and tensors that Winograd's convolution does not take.
TEST(ConvolutionTest, InFloatOthersAreTheBaseClass) {
  const auto is_plain = [](const Conv2d& made, const at::Tensor& images) {
    Conv2d conv = made;
    const at::Tensor y = conv->forward(images);
    return y.grad_fn()->name() == conv->torch::nn::Conv2dImpl::forward(images).grad_fn()->name();
  };
  constexpr Shape kOthers[] = {{32, 64, 3, 1, 12, 14},
                               {64, 32, 3, 1, 12, 14},
                               {64, 64, 3, 1, 4, 4},
                               {64, 64, 3, 2, 24, 28},
                               {64, 64, 1, 1, 12, 14}};
  const auto last = at::MemoryFormat::ChannelsLast;
  for (const Shape& shape : kOthers) {
    EXPECT_TRUE(is_plain(Make(shape), Images(shape).contiguous(last))) << shape.in << shape.rows;
  }
  const Shape middle = {64, 64, 3, 1, 8, 8};
  const at::Tensor few = Images(middle).contiguous(last);
  EXPECT_FALSE(is_plain(Make(middle), few));
  {
    const at::NoGradGuard no_grad;
    Conv2d conv = Make(middle);
    EXPECT_TRUE(conv->forward(few).equal(conv->torch::nn::Conv2dImpl::forward(few)));
  }
  const Shape large = {64, 64, 3, 1, 12, 14};
  EXPECT_FALSE(is_plain(Make(large), Images(large).contiguous(last)));
  EXPECT_TRUE(is_plain(Make(large), Images(large))) << "N x C x H x W";
  // Most of what a tile computes would lie outside of these images.
  EXPECT_TRUE(is_plain(Make(large), at::randn({99, 64, 3, 3}).contiguous(last)));
  EXPECT_TRUE(is_plain(Make(large), at::randn({999, 64, 1, 2}).contiguous(last)));
  EXPECT_FALSE(is_plain(Make({256, 256, 3, 1, 3, 3}), at::randn({99, 256, 3, 3}).contiguous(last)));
  Conv2d exact = Make(large);
  exact->to(at::kDouble);
  EXPECT_TRUE(is_plain(exact, Images(large).to(at::kDouble).contiguous(last)));
  const Bf16Autocast autocast(at::kCPU);
  EXPECT_TRUE(is_plain(Make(large), Images(large).contiguous(last)));
}

TEST(ConvolutionTest, InBf16OnlyTheWeightGradientDiffersByRounding) {
  for (const Shape& shape : kShapes) {
    Conv2d conv = Make(shape);
    const at::Tensor x = Images(shape), dy = at::randn(conv->forward(x).sizes());
    const Pass ours = PassOf(conv, x, dy, /*bf16=*/true, /*plain=*/false);
    const Pass plain = PassOf(conv, x, dy, /*bf16=*/true, /*plain=*/true);
    const Pass exact = PassOf(conv, x, dy, /*bf16=*/false, /*plain=*/true);
    EXPECT_NE(ours.function, plain.function) << "the product was not used";
    EXPECT_EQ(ours.y.dtype(), at::kBFloat16);
    EXPECT_TRUE(ours.y.equal(plain.y));
    EXPECT_TRUE(ours.dx.equal(plain.dx));
    EXPECT_EQ(ours.dweight.dtype(), at::kFloat);
    // bfloat16 has 8 bits of mantissa.
    EXPECT_LT(Difference(ours.dweight, exact.dweight), 5e-3);
  }
}

TEST(ConvolutionTest, ElsewhereItIsTheBaseClass) {
  const Shape shape = {4, 6, 3, 1, 3, 3};
  Conv2d conv = Make(shape);
  const at::Tensor x = Images(shape), dy = at::randn({5, 6, 3, 3});
  const Pass in_float = PassOf(conv, x, dy, /*bf16=*/false, /*plain=*/false);
  const Pass plain = PassOf(conv, x, dy, /*bf16=*/false, /*plain=*/true);
  EXPECT_EQ(in_float.function, plain.function);
  EXPECT_TRUE(in_float.dweight.equal(plain.dweight));

  const Bf16Autocast autocast(at::kCPU);
  EXPECT_EQ(conv->forward(at::randn({1, 4, 40, 40})).grad_fn()->name(),
            conv->torch::nn::Conv2dImpl::forward(x).grad_fn()->name())
      << "an output of many pixels";
  using Options = torch::nn::Conv2dOptions;
  const Options other[] = {Options(4, 6, 3).padding(1).groups(2),
                           Options(4, 6, 3).padding(2).dilation(2),
                           Options(4, 6, {3, 1}).padding({1, 0}),
                           Options(4, 6, 3).padding({1, 2}),
                           Options(4, 6, 3).padding(1).stride({1, 2}),
                           Options(4, 6, 3).padding(torch::kSame),
                           Options(4, 6, 3).padding(1).padding_mode(torch::kCircular)};
  for (Options options : other) {
    Conv2d special(options.bias(false));
    const at::Tensor y = special->forward(x);
    EXPECT_EQ(y.grad_fn()->name(), conv->torch::nn::Conv2dImpl::forward(x).grad_fn()->name());
    EXPECT_TRUE(y.equal(special->torch::nn::Conv2dImpl::forward(x)));
  }
  at::NoGradGuard no_grad;
  EXPECT_TRUE(conv->forward(x).equal(conv->torch::nn::Conv2dImpl::forward(x)));
}

}  // namespace
}  // namespace moco
