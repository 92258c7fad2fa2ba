// Winograd's convolution F(2 x 2, 3 x 3) in float32 on CPUs: 16 products for four outputs, where
// the definition takes 36, with a smaller rounding error (Lavin and Gray, Fast Algorithms for
// Convolutional Neural Networks, 2015, sections 4.1 and 5.3).
//
// The convolution has a kernel of 3 x 3, stride 1, one pixel of zeros around the image, one group
// and no bias. All tensors are float32 on the CPU in channels_last; results are, too. The memory
// that a call needs beside its result is 16/9 of the weights', for WinogradWeightGradient() up to
// four times as much, and a few MB for each thread. Results do not depend on the number of threads.
#ifndef MOCO_BACKBONES_WINOGRAD_H_
#define MOCO_BACKBONES_WINOGRAD_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace moco {

// Returns how many tiles of 2 x 2 pixels there are in x, N x C x H x W. Those at the edge of an
// image with odd sizes count as whole ones, and cost as much.
int64_t CountTiles(const at::Tensor& x);

// Returns the convolution, N x O x H x W, of x, N x C x H x W, with weight, O x C x 3 x 3.
at::Tensor WinogradConvolution(const at::Tensor& x, const at::Tensor& weight);

// Returns the gradient of its input, N x C x H x W, for its output's gradient dy, N x O x H x W.
at::Tensor WinogradInputGradient(const at::Tensor& dy, const at::Tensor& weight);

// Returns the gradient of its weights, O x C x 3 x 3.
at::Tensor WinogradWeightGradient(const at::Tensor& x, const at::Tensor& dy);

}  // namespace moco

#endif  // MOCO_BACKBONES_WINOGRAD_H_
