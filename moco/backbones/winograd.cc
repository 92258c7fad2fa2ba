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

// The same for the gradient of weights, for which a thread computes four numbers of a tile.
constexpr int64_t kTilesOfGradient = 256;

// The tiles are divided into so many parts, of at least so many tiles, whose gradients of weights
// are summed at the end: work for up to 16 threads.
constexpr int64_t kParts = 4, kTilesOfPart = 512;

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
    TransformWindows(from, of_x, begin, end, windows.mutable_data_ptr<float>());
    at::bmm_out(products, windows, kernels);
    TilesOfProducts(products.const_data_ptr<float>(), of_y, begin, end, to);
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
  const int64_t count = CountTiles(x), parts = std::clamp<int64_t>(count / kTilesOfPart, 1, kParts);
  at::Tensor sums = at::zeros({parts, 16, of_y.channels, of_x.channels}, x.options());
  // A piece of work is a row of the 4 x 4 numbers, for a part of the tiles.
  tensors::InChunks(4 * parts, 1, [&](int64_t piece, int64_t) {
    const int64_t part = piece / 4, row = piece % 4;
    at::Tensor sum = sums.select(0, part).narrow(0, 4 * row, 4);
    const int64_t last = count * (part + 1) / parts;
    for (int64_t begin = count * part / parts; begin < last; begin += kTilesOfGradient) {
      const int64_t end = std::min(begin + kTilesOfGradient, last);
      at::Tensor windows = at::empty({4, end - begin, of_x.channels}, x.options());
      at::Tensor tiles = at::empty({4, end - begin, of_y.channels}, x.options());
      TransformWindowsRow(from_x, of_x, begin, end, row, windows.mutable_data_ptr<float>());
      TransformTilesRow(from_y, of_y, begin, end, row, tiles.mutable_data_ptr<float>());
      at::baddbmm_out(sum, sum, tiles.transpose(1, 2), windows);
    }
  });
  const at::Tensor sum = parts == 1 ? sums : sums.sum(/*dim=*/0);
  at::Tensor result =
      at::empty({of_y.channels, of_x.channels, 3, 3}, x.options().memory_format(kChannelsLast));
  const float* numbers = sum.const_data_ptr<float>();
  float* weights = result.mutable_data_ptr<float>();
  at::parallel_for(0, of_y.channels, GrainOf(of_x.channels), [&](int64_t begin, int64_t end) {
    KernelGradients(numbers, KernelsOf(result), begin, end, weights);
  });
  return result;
}

}  // namespace moco
