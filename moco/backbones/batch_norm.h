// Batch normalisation for backbones: over the whole batch, or over parts of it (split BN).
#ifndef MOCO_BACKBONES_BATCH_NORM_H_
#define MOCO_BACKBONES_BATCH_NORM_H_

#include <torch/nn/module.h>

#include <cstdint>
#include <optional>

#include "moco/backbones/batch_norm_kernels.h"

namespace moco {

// torch.nn.BatchNorm2d(channels): eps 1e-5, momentum 0.1, weight 1, bias 0.
//
// With splits > 1, part g of a training batch consists of its g-th N / splits consecutive samples.
// Each part is normalised by its own mean and variance, and the running statistics use the mean
// over the parts. This is SplitBatchNorm of the official CIFAR demo, for batches in the order of
// Encoder::forward.
//
// In training mode on the CPU the result is in channels_last, and does not depend on the number of
// threads; on other devices PyTorch's own kernels compute it, part by part.
class BatchNorm2d : public torch::nn::Module {
 public:
  BatchNorm2d(int64_t channels, int64_t splits);

  // x: N x channels x H x W; N divisible by splits in training mode. Returns a tensor of the same
  // shape.
  at::Tensor forward(const at::Tensor& x);

  // Return relu(forward(x)) and relu(forward(x) + residual), the next operations of a ResNet.
  at::Tensor Relu(const at::Tensor& x);
  at::Tensor AddRelu(const at::Tensor& x, const at::Tensor& residual);

 private:
  at::Tensor Train(const at::Tensor& x, const std::optional<at::Tensor>& residual, Then then);
  at::Tensor TrainInParts(const at::Tensor& x);
  at::Tensor Evaluate(const at::Tensor& x);

  const int64_t splits_;
  at::Tensor weight_, bias_, running_mean_, running_var_, num_batches_tracked_;
};

}  // namespace moco

#endif  // MOCO_BACKBONES_BATCH_NORM_H_
