// ResNets in evaluation mode as ONNX graphs.
#ifndef TOOLS_ONNX_RESNET_H_
#define TOOLS_ONNX_RESNET_H_

#include <ATen/core/Tensor.h>

#include "absl/status/statusor.h"
#include "moco/checkpoints/state_dict.h"
#include "tools/onnx_file.h"

namespace tools {

// From torchvision's names, which with the shapes tell all of a ResNet: its stem (7x7 with pooling,
// or 3x3 without), blocks of two or three convolutions, and strides. Weights become float32; batch
// normalisation stays a node of its own. InvalidArgument names a tensor that no ResNet has, or that
// a ResNet would have and `state` lacks; it is to be read after the checkpoint's name.
absl::StatusOr<OnnxModel> ResNetGraph(const moco::StateDict& state);

// What the graph makes of images (N x 3 x H x W, float32), operator by operator. DataLoss when
// something in it is missing or unknown.
absl::StatusOr<at::Tensor> Evaluate(const OnnxModel& model, const at::Tensor& images);

}  // namespace tools

#endif  // TOOLS_ONNX_RESNET_H_
