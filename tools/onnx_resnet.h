// ResNets in evaluation mode as ONNX graphs.
#ifndef TOOLS_ONNX_RESNET_H_
#define TOOLS_ONNX_RESNET_H_

#include <ATen/core/Tensor.h>

#include <vector>

#include "absl/status/statusor.h"
#include "moco/checkpoints/state_dict.h"
#include "tools/onnx_file.h"

namespace tools {

struct OnnxOptions {
  int opset = kOnnxOpset;
  // Constants of the channels. If they are given, the graph takes images of bytes (uint8, N x H x W
  // x C) and begins with what makes tensors of them: 0 to 1, normalised.
  std::vector<double> mean = {}, std = {};
};

// Builds the graph from torchvision's names and the shapes, which determine a ResNet: its stem (7x7
// with pooling, or 3x3 without), blocks of two or three convolutions, and strides. The input is
// images N x C x H x W of the channels of the first convolution; the output is the features or, if
// there is `fc.`, the logits. Weights are converted to float32; batch normalisation remains a
// separate node. InvalidArgument, to be read after the checkpoint's name, names a tensor that no
// ResNet has, or that `state` lacks.
absl::StatusOr<OnnxModel> ResNetGraph(const moco::StateDict& state,
                                      const OnnxOptions& options = {});

// Computes the output of the graph for images as it declares them, operator by operator. DataLoss
// if something in it is missing or unknown, or if the images or the output differ from what it
// declares, as onnxruntime refuses them.
absl::StatusOr<at::Tensor> Evaluate(const OnnxModel& model, const at::Tensor& images);

}  // namespace tools

#endif  // TOOLS_ONNX_RESNET_H_
