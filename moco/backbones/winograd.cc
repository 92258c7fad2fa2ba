#include "moco/backbones/winograd.h"

#include <ATen/Parallel.h>
#include <ATen/ops/baddbmm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "moco/backbones/winograd_kernels.h"
#include "tensors/in_chunks.h"

namespace moco {
namespace {

constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;

// Tiles whose numbers a thread computes at a time. Their matrices fit into a core's cache, and are
// large enough for the products to be fast.
constexpr int64_t kTilesAtATime = 64;

// Tiles whose numbers are computed at a time, by all threads, for the gradient of weights.
constexpr int64_t kTilesAtOnce = 256;

// How many rows of so many channels are worth a thread.
int64_t GrainOf(int64_t channels) { return std::max<int64_t>(1, 2048 / channels); }

Tiles TilesOf(const at::Tensor& images) { return {images.size(2), images.size(3), images.size(1)}; }

Kernels KernelsOf(const at::Tensor& weight) { return {weight.size(0), weight.size(1)}; }

// Returns the kernels' numbers, 16 matrices of rows x cols, by a `transform` of ranges of rows.
at::Tensor KernelNumbers(const at::Tensor& weight, int64_t rows, int64_t cols,
                         void (*transform)(const float*, const Kernels&, int64_t, int64_t,
                                           float*)) {
  const at::Tensor from = weight.contiguous(kChannelsLast);
  at::Tensor result = at::empty({16, rows, cols}, from.options());
  const float* weights = from.const_data_ptr<float>();
  float* numbers = result.mutable_data_ptr<float>();
  at::parallel_for(0, rows, GrainOf(cols), [&](int64_t begin, int64_t end) {
    transform(weights, KernelsOf(from), begin, end, numbers);
  });
  return result;
}

// Returns N x O x H x W images, whose tiles' numbers are the products of those of the windows of
// `images`, N x C x H x W, and `kernels`, 16 x C x O.
at::Tensor Convolve(const at::Tensor& images, const at::Tensor& kernels) {
  const at::Tensor x = images.contiguous(kChannelsLast);
  const int64_t outs = kernels.size(2);
  at::Tensor y =
      at::empty({x.size(0), outs, x.size(2), x.size(3)}, x.options().memory_format(kChannelsLast));
  const Tiles of_x = TilesOf(x), of_y = TilesOf(y);
  const float* from = x.const_data_ptr<float>();
  float* to = y.mutable_data_ptr<float>();
  tensors::InChunks(CountTiles(x), kTilesAtATime, [&](int64_t begin, int64_t end) {
    at::Tensor windows = at::empty({16, end - begin, of_x.channels}, x.options());
    at::Tensor products = at::empty({16, end - begin, outs}, x.options());
    TransformWindows(from, of_x, begin, end, end - begin, windows.mutable_data_ptr<float>());
    at::bmm_out(products, windows, kernels);
    TilesOfProducts(products.const_data_ptr<float>(), of_y, begin, end, end - begin, to);
  });
  return y;
}

}  // namespace

int64_t CountTiles(const at::Tensor& x) {
  const Tiles tiles = TilesOf(x);
  return x.size(0) * tiles.down() * tiles.across();
}

at::Tensor WinogradConvolution(const at::Tensor& x, const at::Tensor& weight) {
  return Convolve(x, KernelNumbers(weight, weight.size(1), weight.size(0), TransformKernels));
}

at::Tensor WinogradInputGradient(const at::Tensor& dy, const at::Tensor& weight) {
  return Convolve(dy,
                  KernelNumbers(weight, weight.size(0), weight.size(1), TransformTurnedKernels));
}

at::Tensor WinogradWeightGradient(const at::Tensor& x, const at::Tensor& dy) {
  const at::Tensor images = x.contiguous(kChannelsLast), gradients = dy.contiguous(kChannelsLast);
  const Tiles of_x = TilesOf(x), of_y = TilesOf(dy);
  const float *from_x = images.const_data_ptr<float>(), *from_y = gradients.const_data_ptr<float>();
  at::Tensor sums = at::zeros({16, of_y.channels, of_x.channels}, x.options());
  const int64_t count = CountTiles(x);
  for (int64_t begin = 0; begin < count; begin += kTilesAtOnce) {
    const int64_t tiles = std::min(kTilesAtOnce, count - begin);
    at::Tensor of_windows = at::empty({16, tiles, of_x.channels}, x.options());
    at::Tensor of_tiles = at::empty({16, tiles, of_y.channels}, x.options());
    float *to_windows = of_windows.mutable_data_ptr<float>(),
          *to_tiles = of_tiles.mutable_data_ptr<float>();
    at::parallel_for(0, tiles, GrainOf(of_x.channels + of_y.channels), [&](int64_t b, int64_t e) {
      TransformWindows(from_x, of_x, begin + b, begin + e, tiles, to_windows + b * of_x.channels);
      TransformTiles(from_y, of_y, begin + b, begin + e, tiles, to_tiles + b * of_y.channels);
    });
    at::baddbmm_out(sums, sums, of_tiles.transpose(1, 2), of_windows);
  }
  at::Tensor result =
      at::empty({of_y.channels, of_x.channels, 3, 3}, x.options().memory_format(kChannelsLast));
  const float* numbers = sums.const_data_ptr<float>();
  float* weights = result.mutable_data_ptr<float>();
  at::parallel_for(0, of_y.channels, GrainOf(of_x.channels), [&](int64_t begin, int64_t end) {
    KernelGradients(numbers, KernelsOf(result), begin, end, weights);
  });
  return result;
}

}  // namespace moco
