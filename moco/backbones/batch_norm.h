// Batch normalisation for backbones: over the whole batch, or over parts of it (split BN).
#ifndef MOCO_BACKBONES_BATCH_NORM_H_
#define MOCO_BACKBONES_BATCH_NORM_H_

#include <torch/nn/module.h>

#include <cstdint>

#include "moco/backbones/batch_norm_kernels.h"

namespace moco {

// torch.nn.BatchNorm2d(channels): eps 1e-5, momentum 0.1, weight 1, bias 0.
//
// With splits > 1, part g of a training batch consists of its g-th N / splits consecutive samples.
// Each part is normalised by its own mean and variance, and the running statistics use the mean
// over the parts. This is SplitBatchNorm of the official CIFAR demo, for batches in the order of
// Encoder::forward.
//
// In training mode, and without gradients in evaluation mode, the result on the CPU is in
// channels_last, and does not depend on the number of threads; otherwise PyTorch's own kernels
// compute it, in training part by part.
class BatchNorm2d : public torch::nn::Module {
 public:
  BatchNorm2d(int64_t channels, int64_t splits);

  // x: N x channels x H x W; N divisible by splits in training mode. Returns a tensor of the same
  // shape. In evaluation mode without gradients it takes the place of x in memory if nobody else
  // holds x.
  at::Tensor forward(at::Tensor x);

  // Return relu(forward(x)) and relu(forward(x) + residual), the next operations of a ResNet.
  at::Tensor Relu(at::Tensor x);
  at::Tensor AddRelu(at::Tensor x, const at::Tensor& residual);

 private:
  at::Tensor ForwardThen(Then then, at::Tensor x, const at::Tensor& residual = {});
  at::Tensor Train(const at::Tensor& x, const at::Tensor& residual, Then then);
  at::Tensor TrainInParts(const at::Tensor& x);
  at::Tensor Evaluate(const at::Tensor& x);
  at::Tensor EvaluateAtOnce(at::Tensor x, const at::Tensor& residual, Then then);

  const int64_t splits_;
  at::Tensor weight_, bias_, running_mean_, running_var_, num_batches_tracked_;
};

}  // namespace moco

#endif  // MOCO_BACKBONES_BATCH_NORM_H_
