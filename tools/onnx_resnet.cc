#include "tools/onnx_resnet.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/relu.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace tools {
namespace {

constexpr double kEpsilon = 1e-5;  // of batch normalisation, in torchvision and as ONNX's default

class Builder {
 public:
  Builder(const moco::StateDict& state, const OnnxOptions& options)
      : state_(state.begin(), state.end()), options_(options) {
    model_.opset = options.opset;
  }

  absl::StatusOr<OnnxModel> Build() {
    if (!Has("conv1.weight") || state_["conv1.weight"].dim() != 4) return NoResNet("conv1.weight");
    channels_[kOnnxInput] = state_["conv1.weight"].size(1);
    const bool imagenet = state_["conv1.weight"].size(2) == 7;
    std::string x = Input(absl::StrCat(channels_[kOnnxInput]));
    x = Add("Relu", {ConvNorm(x, "conv1", "bn1", imagenet ? 2 : 1)}, "relu");
    if (imagenet) x = Add("MaxPool", {x}, "maxpool", Window(3, 2));
    for (int stage = 1; Has(absl::StrCat("layer", stage, ".0.conv1.weight")); ++stage) {
      for (int b = 0;; ++b) {
        const std::string block = absl::StrCat("layer", stage, ".", b);
        if (!Has(block + ".conv1.weight")) break;
        x = Block(x, block, stage > 1 && b == 0 ? 2 : 1);
      }
    }
    x = Add("GlobalAveragePool", {x}, "avgpool");
    x = Add("Flatten", {x}, kOnnxFeatures);
    if (Has("fc.weight")) {
      x = Add("Gemm", {x, Weight("fc.weight"), Weight("fc.bias")}, kOnnxLogits,
              {{kOnnxTransB, {1}}});
      width_ = state_["fc.weight"].size(0);
    }
    model_.output = {x, /*is_bytes=*/false, {"batch", absl::StrCat(width_)}};
    if (!missing_.empty()) return NoResNet(missing_);
    for (const auto& [name, tensor] : state_) {
      if (model_.weights.count(name) || absl::EndsWith(name, ".num_batches_tracked")) continue;
      return absl::InvalidArgumentError(absl::StrCat(
          "holds '", name, "', which the ONNX export does not support; it writes only ResNets"));
    }
    return std::move(model_);
  }

 private:
  static absl::Status NoResNet(const std::string& name) {
    return absl::InvalidArgumentError(absl::StrCat(
        "does not contain a ResNet, and the ONNX export supports no other network; missing: '",
        name, "'"));
  }

  bool Has(const std::string& name) const { return state_.count(name) > 0; }

  static std::map<std::string, std::vector<int64_t>> Window(int64_t kernel, int64_t stride) {
    const int64_t pad = kernel / 2;
    return {{"kernel_shape", {kernel, kernel}},
            {"strides", {stride, stride}},
            {"pads", {pad, pad, pad, pad}}};
  }

  std::string Add(const std::string& op, std::vector<std::string> inputs, const std::string& output,
                  std::map<std::string, std::vector<int64_t>> attributes = {}) {
    channels_[output] = channels_[inputs[0]];
    model_.nodes.push_back({op, std::move(inputs), output, std::move(attributes)});
    return output;
  }

  // Declares the input, adds what makes a tensor of bytes, and returns the tensor's name.
  std::string Input(const std::string& channels) {
    if (options_.mean.empty()) {
      model_.input = {kOnnxInput, /*is_bytes=*/false, {"batch", channels, "height", "width"}};
      return kOnnxInput;
    }
    model_.input = {kOnnxInput, /*is_bytes=*/true, {"batch", "height", "width", channels}};
    std::string x = Add("Transpose", {kOnnxInput}, "channels_first", {{"perm", {0, 3, 1, 2}}});
    x = Add("Cast", {x}, "values", {{kOnnxTo, {kOnnxFloat}}});
    x = Add("Div", {x, Constant("preprocessing.scale", {255}, {})}, "scaled");
    const std::vector<int64_t> each = {1, static_cast<int64_t>(options_.mean.size()), 1, 1};
    x = Add("Sub", {x, Constant("preprocessing.mean", options_.mean, each)}, "centred");
    return Add("Div", {x, Constant("preprocessing.std", options_.std, each)}, "normalized");
  }

  // Adds numbers to the model and returns their name.
  std::string Constant(const std::string& name, const std::vector<double>& values,
                       const std::vector<int64_t>& shape) {
    const std::vector<float> floats(values.begin(), values.end());
    model_.weights[name] = {shape, std::string(reinterpret_cast<const char*>(floats.data()),
                                               floats.size() * sizeof(float))};
    return name;
  }

  // Adds the tensor to the model and returns its name.
  std::string Weight(const std::string& name) {
    const auto found = state_.find(name);
    if (found == state_.end()) {
      missing_ = name;
      return name;
    }
    const at::Tensor values = found->second.detach().cpu().to(at::kFloat).contiguous();
    model_.weights[name] = {
        values.sizes().vec(),
        std::string(static_cast<const char*>(values.const_data_ptr()), values.nbytes())};
    return name;
  }

  std::string ConvNorm(const std::string& x, const std::string& conv, const std::string& bn,
                       int64_t stride) {
    const std::string weight = Weight(conv + ".weight");
    const auto& shape = model_.weights[weight].shape;
    const bool whole = shape.size() == 4;
    auto attributes = Window(whole ? shape[2] : 1, stride);
    // The number of groups: the image's channels divided by the weight's input channels.
    if (whole && shape[1] > 0) attributes[kOnnxGroup] = {channels_[x] / shape[1]};
    const std::string y = Add("Conv", {x, weight}, conv, std::move(attributes));
    channels_[y] = width_ = whole ? shape[0] : 0;
    return Add("BatchNormalization",
               {y, Weight(bn + ".weight"), Weight(bn + ".bias"), Weight(bn + ".running_mean"),
                Weight(bn + ".running_var")},
               bn);
  }

  std::string Block(const std::string& x, const std::string& block, int64_t stride) {
    const std::string name = block + ".";
    const int convs = Has(name + "conv3.weight") ? 3 : 2;
    const int strided = convs == 3 ? 2 : 1;  // the 3x3 convolution, the first where there are two
    const std::string identity =
        Has(name + "downsample.0.weight")
            ? ConvNorm(x, name + "downsample.0", name + "downsample.1", stride)
            : x;
    std::string y = x;
    for (int i = 1; i <= convs; ++i) {
      y = ConvNorm(y, absl::StrCat(name, "conv", i), absl::StrCat(name, "bn", i),
                   i == strided ? stride : 1);
      if (i < convs) y = Add("Relu", {y}, absl::StrCat(name, "relu", i));
    }
    return Add("Relu", {Add("Add", {y, identity}, name + "add")}, name + "relu");
  }

  std::map<std::string, at::Tensor> state_;
  const OnnxOptions options_;
  OnnxModel model_;
  int64_t width_ = 0;                        // of the output, so far
  std::map<std::string, int64_t> channels_;  // of each node's output
  std::string missing_;
};

// DataLoss unless the tensor is what the graph declares. `free` has the sizes of free dimensions.
absl::Status CheckDeclared(const OnnxModel::Value& value, const at::Tensor& tensor,
                           std::map<std::string, int64_t>& free) {
  bool fits = tensor.dim() == static_cast<int64_t>(value.shape.size()) &&
              tensor.scalar_type() == (value.is_bytes ? at::kByte : at::kFloat);
  for (int64_t i = 0; fits && i < tensor.dim(); ++i) {
    int64_t size;
    if (!absl::SimpleAtoi(value.shape[i], &size)) {
      size = free.emplace(value.shape[i], tensor.size(i)).first->second;
    }
    fits = tensor.size(i) == size;
  }
  if (fits) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("declares '", value.name, "' as ", value.is_bytes ? "uint8 " : "float32 ",
                   absl::StrJoin(value.shape, " x "), ", but it is ",
                   toString(tensor.scalar_type()), " ", absl::StrJoin(tensor.sizes(), " x ")));
}

}  // namespace

absl::StatusOr<OnnxModel> ResNetGraph(const moco::StateDict& state, const OnnxOptions& options) {
  return Builder(state, options).Build();
}

absl::StatusOr<at::Tensor> Evaluate(const OnnxModel& model, const at::Tensor& images) {
  at::NoGradGuard no_grad;
  std::map<std::string, int64_t> free;
  if (absl::Status s = CheckDeclared(model.input, images, free); !s.ok()) return s;
  std::map<std::string, at::Tensor> values{{model.input.name, images}};
  for (const auto& [name, weight] : model.weights) {
    const int64_t floats = static_cast<int64_t>(weight.bytes.size() / sizeof(float));
    const at::Tensor flat = at::from_blob(const_cast<char*>(weight.bytes.data()), {floats});
    if (c10::multiply_integers(weight.shape) != floats) {
      return absl::DataLossError(absl::StrCat("has '", name, "' in another size than it states"));
    }
    values[name] = flat.view(weight.shape);
  }
  for (const auto& [op, inputs, output, attributes] : model.nodes) {
    std::vector<at::Tensor> x;
    for (const std::string& name : inputs) {
      if (!values.count(name)) return absl::DataLossError(absl::StrCat("has no '", name, "'"));
      x.push_back(values[name]);
    }
    const auto given = [&, &a = attributes](const char* name, size_t i) {
      const auto found = a.find(name);
      return found == a.end() || found->second.size() <= i ? 1 : found->second[i];
    };
    const int64_t stride = given("strides", 0), pad = given("pads", 0);
    if (op == "Conv" && x.size() == 2) {
      if (x[0].dim() != 4 || x[1].dim() != 4 ||
          x[0].size(1) != x[1].size(1) * given(kOnnxGroup, 0)) {
        return absl::DataLossError(
            absl::StrCat("has '", inputs[1], "', which takes other channels than it is given"));
      }
      values[output] = at::convolution(x[0], x[1], {}, {stride, stride}, {pad, pad}, {1, 1}, false,
                                       {0, 0}, given(kOnnxGroup, 0));
    } else if (op == "BatchNormalization" && x.size() == 5) {
      values[output] =
          at::batch_norm(x[0], x[1], x[2], x[3], x[4], /*training=*/false, 0, kEpsilon, false);
    } else if (op == "MaxPool" && x.size() == 1) {
      values[output] = at::max_pool2d(x[0], given("kernel_shape", 0), {stride, stride}, {pad, pad});
    } else if (op == "Relu" && x.size() == 1) {
      values[output] = at::relu(x[0]);
    } else if (op == "Add" && x.size() == 2) {
      values[output] = x[0] + x[1];
    } else if (op == "GlobalAveragePool" && x.size() == 1) {
      values[output] = x[0].mean({2, 3}, /*keepdim=*/true);
    } else if (op == "Flatten" && x.size() == 1) {
      values[output] = x[0].flatten(1);
    } else if (op == "Gemm" && x.size() == 3 && x[1].dim() == 2 && x[0].dim() == 2 &&
               x[0].size(1) == x[1].size(1)) {
      values[output] = at::linear(x[0], x[1], x[2]);
    } else if (op == "Transpose" && x.size() == 1 && x[0].dim() == 4) {
      values[output] =
          x[0].permute({given("perm", 0), given("perm", 1), given("perm", 2), given("perm", 3)});
    } else if (op == "Cast" && x.size() == 1) {
      values[output] = x[0].to(at::kFloat);
    } else if (op == "Div" && x.size() == 2) {
      values[output] = x[0] / x[1];
    } else if (op == "Sub" && x.size() == 2) {
      values[output] = x[0] - x[1];
    } else {
      return absl::DataLossError(absl::StrCat("has a node '", op, "' that is not known"));
    }
  }
  const auto output = values.find(model.output.name);
  if (output == values.end()) return absl::DataLossError("has no output");
  if (absl::Status s = CheckDeclared(model.output, output->second, free); !s.ok()) return s;
  return output->second;
}

}  // namespace tools
