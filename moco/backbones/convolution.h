// The convolution of backbones: torch.nn.Conv2d, with a faster weight gradient in bfloat16 on CPUs.
#ifndef MOCO_BACKBONES_CONVOLUTION_H_
#define MOCO_BACKBONES_CONVOLUTION_H_

#include <torch/nn/modules/conv.h>

#include <cstdint>

namespace moco {

// torch.nn.Conv2d. Under bfloat16 autocast on the CPU, the weights' gradient of a plain convolution
// whose output has few pixels is computed by ProductWeightGradient(), as a matrix product, because
// oneDNN (of LibTorch 2.11) computes it several times slower than such a product; see "Weight
// gradients in bf16" in benchmarks/README.md. The output and the other gradient are oneDNN's. All
// else, and all of it in float32, is the base class's.
class Conv2dImpl : public torch::nn::Conv2dImpl {
 public:
  using torch::nn::Conv2dImpl::Conv2dImpl;

  // x: N x in_channels x H x W. Returns a tensor of N x out_channels x H' x W'.
  at::Tensor forward(const at::Tensor& x);

 private:
  // One group, no bias, no dilation, zeros around the image; kernel, stride and padding are square.
  bool IsPlain() const;
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
