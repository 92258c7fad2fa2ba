// ResNets in evaluation mode as ONNX graphs.
#ifndef TOOLS_ONNX_RESNET_H_
#define TOOLS_ONNX_RESNET_H_

#include <ATen/core/Tensor.h>

#include "absl/status/statusor.h"
#include "moco/checkpoints/state_dict.h"
#include "tools/onnx_file.h"

namespace tools {

// Builds the graph from torchvision's names and the shapes, which determine a ResNet: its stem (7x7
// with pooling, or 3x3 without), blocks of two or three convolutions, and strides. Weights are
// converted to float32; batch normalisation remains a separate node. InvalidArgument, to be read
// after the checkpoint's name, names a tensor that no ResNet has, or that `state` lacks.
absl::StatusOr<OnnxModel> ResNetGraph(const moco::StateDict& state);

// Computes the output of the graph for images (N x 3 x H x W, float32), operator by operator.
// DataLoss if something in it is missing or unknown.
absl::StatusOr<at::Tensor> Evaluate(const OnnxModel& model, const at::Tensor& images);

}  // namespace tools

#endif  // TOOLS_ONNX_RESNET_H_
