#include "moco/backbones/convolution.h"

#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <ATen/cpu/Utils.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/mm.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "moco/backbones/winograd.h"

namespace moco {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

// Pixels of an output up to which the product is faster: for every convolution, and for those whose
// gradient oneDNN computes more slowly still, which are those of 1x1 and with a stride, and all
// where the CPU has AMX.
constexpr int64_t kFewPixels = 16, kMorePixels = 64;

bool CpuHasAmx() {
  static const bool has = at::cpu::init_amx();
  return has;
}

// Winograd's convolution is faster from so many tiles of 2 x 2 pixels on (fewer if the gradients,
// too, are computed, at which oneDNN is slower) and with so many channels, if tiles at the edge do
// not waste too many products on pixels outside the image; with many channels, oneDNN is slow for
// images that are that small.
constexpr int64_t kTilesWithGradients = 32, kTilesWithout = 128;
constexpr int64_t kEnoughChannels = 48, kManyChannels = 256;

class WinogradFunction : public torch::autograd::Function<WinogradFunction> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& weight) {
    ctx->save_for_backward({x, weight});
    return WinogradConvolution(x, weight);
  }

  static tensor_list backward(AutogradContext* ctx, const tensor_list& gradients) {
    const tensor_list saved = ctx->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &dy = gradients[0];
    return {ctx->needs_input_grad(0) ? WinogradInputGradient(dy, weight) : at::Tensor(),
            ctx->needs_input_grad(1) ? WinogradWeightGradient(x, dy) : at::Tensor()};
  }
};

class ProductConvolution : public torch::autograd::Function<ProductConvolution> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& weight,
                            int64_t stride, int64_t padding) {
    ctx->save_for_backward({x, weight});
    ctx->saved_data["stride"] = stride;
    ctx->saved_data["padding"] = padding;
    return at::conv2d(x, weight, /*bias=*/{}, stride, padding);
  }

  static tensor_list backward(AutogradContext* ctx, const tensor_list& gradients) {
    const tensor_list saved = ctx->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &dy = gradients[0];
    const int64_t stride = ctx->saved_data["stride"].toInt();
    const int64_t padding = ctx->saved_data["padding"].toInt();
    at::Tensor dx;
    if (ctx->needs_input_grad(0)) {
      dx = std::get<0>(at::convolution_backward(
          dy, x, weight, /*bias_sizes=*/at::OptionalIntArrayRef(), {stride, stride},
          {padding, padding}, /*dilation=*/{1, 1}, /*transposed=*/false, /*output_padding=*/{0, 0},
          /*groups=*/1, /*output_mask=*/{true, false, false}));
    }
    return {dx, ProductWeightGradient(x, dy, weight.size(2), stride, padding), {}, {}};
  }
};

}  // namespace

at::Tensor ProductWeightGradient(const at::Tensor& x, const at::Tensor& dy, int64_t kernel,
                                 int64_t stride, int64_t padding) {
  const int64_t n = x.size(0), c = x.size(1), out = dy.size(1), rows = dy.size(2),
                cols = dy.size(3);
  const auto pixels_first = [](const at::Tensor& t) {
    return t.contiguous(at::MemoryFormat::ChannelsLast).permute({0, 2, 3, 1});
  };
  // A row for each pixel of the output: all that the kernel saw there. `patches` names elements of
  // `padded` several times; the reshape copies them.
  at::Tensor padded = pixels_first(x);
  if (padding > 0) {
    padded = at::constant_pad_nd(padded, {0, 0, padding, padding, padding, padding});
  }
  const int64_t image = padded.stride(0), row = padded.stride(1), pixel = padded.stride(2);
  const at::Tensor patches = padded.as_strided(
      {n, rows, cols, kernel, kernel, c}, {image, row * stride, pixel * stride, row, pixel, 1});
  const at::Tensor seen = patches.reshape({n * rows * cols, kernel * kernel * c});
  const at::Tensor product = at::mm(pixels_first(dy).reshape({n * rows * cols, out}).t(), seen);
  return product.view({out, kernel, kernel, c}).permute({0, 3, 1, 2});
}

bool Conv2dImpl::IsPlain() const {
  const auto* padding = std::get_if<torch::ExpandingArray<2>>(&options.padding());
  const auto square = [](const torch::ExpandingArray<2>& a) { return a->at(0) == a->at(1); };
  return options.groups() == 1 && !bias.defined() && square(options.kernel_size()) &&
         square(options.stride()) && *options.dilation() == *torch::ExpandingArray<2>(1) &&
         padding != nullptr && square(*padding) &&
         std::holds_alternative<torch::enumtype::kZeros>(options.padding_mode());
}

bool Conv2dImpl::WinogradIsFaster(const at::Tensor& x) const {
  if (!x.is_cpu() || x.scalar_type() != at::kFloat || weight.scalar_type() != at::kFloat ||
      at::autocast::is_autocast_enabled(at::kCPU) ||
      !x.is_contiguous(at::MemoryFormat::ChannelsLast) || !IsPlain()) {
    return false;
  }
  const int64_t padding = std::get<torch::ExpandingArray<2>>(options.padding())->at(0);
  if (weight.size(2) != 3 || options.stride()->at(0) != 1 || padding != 1) return false;
  const int64_t channels = std::min(weight.size(0), weight.size(1));
  const int64_t pixels = x.size(0) * x.size(2) * x.size(3), tiles = CountTiles(x);
  const bool gradients = at::GradMode::is_enabled() && weight.requires_grad();
  return tiles >= (gradients ? kTilesWithGradients : kTilesWithout) &&
         channels >= kEnoughChannels &&
         (pixels >= 3 * tiles || (pixels > 2 * tiles && channels >= kManyChannels));
}

bool Conv2dImpl::ProductIsFaster(const at::Tensor& x) const {
  if (!x.is_cpu() || !at::autocast::is_autocast_enabled(at::kCPU) ||
      at::autocast::get_autocast_dtype(at::kCPU) != at::kBFloat16) {
    return false;
  }
  if (!at::GradMode::is_enabled() || !weight.requires_grad() || !IsPlain()) return false;
  const int64_t kernel = weight.size(2), stride = options.stride()->at(0);
  const int64_t padding = std::get<torch::ExpandingArray<2>>(options.padding())->at(0);
  const auto pixels = [&](int64_t dimension) {
    return (x.size(dimension) + 2 * padding - kernel) / stride + 1;
  };
  const bool slow = kernel == 1 || stride > 1 || CpuHasAmx();
  return pixels(2) * pixels(3) <= (slow ? kMorePixels : kFewPixels);
}

at::Tensor Conv2dImpl::forward(const at::Tensor& x) {
  if (WinogradIsFaster(x)) return WinogradFunction::apply(x, weight);
  if (!ProductIsFaster(x)) return torch::nn::Conv2dImpl::forward(x);
  // The casts are those of at::conv2d under autocast; the weights' is made once for both passes of
  // a step, and cached.
  const auto cast = [](const at::Tensor& t) {
    return at::autocast::cached_cast(at::kBFloat16, t, at::kCPU);
  };
  return ProductConvolution::apply(cast(x), cast(weight), options.stride()->at(0),
                                   std::get<torch::ExpandingArray<2>>(options.padding())->at(0));
}

}  // namespace moco
