// The convolution of backbones: torch.nn.Conv2d, faster on CPUs.
#ifndef MOCO_BACKBONES_CONVOLUTION_H_
#define MOCO_BACKBONES_CONVOLUTION_H_

#include <torch/nn/modules/conv.h>

#include <cstdint>

namespace moco {

// torch.nn.Conv2d, with two differences, both of plain convolutions on the CPU (see "Convolutions"
// and "Weight gradients in bf16" in benchmarks/README.md):
//
// In float32, a convolution of 3 x 3 with stride 1 and enough channels and pixels in channels_last
// is computed with fewer products, by moco/backbones/winograd.h, and so are its gradients. Results
// differ from the base class's by rounding, and are at least as near to the exact ones.
//
// Under bfloat16 autocast, the weights' gradient is computed by ProductWeightGradient(), as a
// matrix product, if the output has few pixels, because oneDNN (of LibTorch 2.11) computes it
// several times slower. The output and the other gradient are the base class's.
class Conv2dImpl : public torch::nn::Conv2dImpl {
 public:
  using torch::nn::Conv2dImpl::Conv2dImpl;

  // x: N x in_channels x H x W. Returns a tensor of N x out_channels x H' x W'.
  at::Tensor forward(const at::Tensor& x);

 private:
  // One group, no bias, no dilation, zeros around the image; kernel, stride and padding are square.
  bool IsPlain() const;
  bool WinogradIsFaster(const at::Tensor& x) const;
  bool ProductIsFaster(const at::Tensor& x) const;
};
TORCH_MODULE(Conv2d);

// Returns the gradient of a convolution's weights, O x C x K x K in channels_last, for its input
// x, N x C x H x W, and its output's gradient dy, N x O x H' x W', both of one dtype. The padding
// is the same on all sides, and the groups are one. Needs N x H' x W' x C x K x K elements of
// memory while it computes, if K or the stride is larger than 1.
at::Tensor ProductWeightGradient(const at::Tensor& x, const at::Tensor& dy, int64_t kernel,
                                 int64_t stride, int64_t padding);

}  // namespace moco

#endif  // MOCO_BACKBONES_CONVOLUTION_H_
