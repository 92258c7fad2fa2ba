#include "tools/onnx_file.h"

#include <onnx/onnx_pb.h>

#include <climits>

#include "absl/strings/str_cat.h"
#include "base/files.h"

namespace tools {
namespace {

// Read since ONNX 1.7, of 2020.
constexpr int kIrVersion = 7;

// The shape is the caller's to fill.
onnx::TensorShapeProto* Describe(const char* name, onnx::ValueInfoProto* value) {
  value->set_name(name);
  auto* type = value->mutable_type()->mutable_tensor_type();
  type->set_elem_type(onnx::TensorProto::FLOAT);
  return type->mutable_shape();
}

onnx::ModelProto ToProto(const OnnxModel& model) {
  onnx::ModelProto proto;
  proto.set_ir_version(kIrVersion);
  proto.set_producer_name("MoCo++");
  proto.add_opset_import()->set_version(kOnnxOpset);
  onnx::GraphProto* graph = proto.mutable_graph();
  graph->set_name("encoder");
  onnx::TensorShapeProto* images = Describe(kOnnxInput, graph->add_input());
  images->add_dim()->set_dim_param("batch");
  images->add_dim()->set_dim_value(3);
  images->add_dim()->set_dim_param("height");
  images->add_dim()->set_dim_param("width");
  onnx::TensorShapeProto* features = Describe(kOnnxOutput, graph->add_output());
  features->add_dim()->set_dim_param("batch");
  features->add_dim()->set_dim_value(model.features);
  for (const OnnxModel::Node& node : model.nodes) {
    onnx::NodeProto* to = graph->add_node();
    to->set_op_type(node.op);
    to->set_name(node.output);
    for (const std::string& input : node.inputs) to->add_input(input);
    to->add_output(node.output);
    for (const auto& [name, values] : node.attributes) {
      onnx::AttributeProto* attribute = to->add_attribute();
      attribute->set_name(name);
      attribute->set_type(onnx::AttributeProto::INTS);
      for (const int64_t value : values) attribute->add_ints(value);
    }
  }
  for (const auto& [name, weight] : model.weights) {
    onnx::TensorProto* to = graph->add_initializer();
    to->set_name(name);
    to->set_data_type(onnx::TensorProto::FLOAT);
    for (const int64_t size : weight.shape) to->add_dims(size);
    to->set_raw_data(weight.bytes);
  }
  return proto;
}

}  // namespace

absl::Status WriteOnnx(const std::string& path, const OnnxModel& model) {
  const onnx::ModelProto proto = ToProto(model);
  if (proto.ByteSizeLong() > INT_MAX) {
    return absl::InvalidArgumentError("holds more than the 2 GB that fit into an ONNX file");
  }
  return base::WriteFileAtomically(path, proto.SerializeAsString());
}

absl::StatusOr<OnnxModel> ReadOnnx(const std::string& path) {
  const auto bytes = base::ReadFile(path, INT_MAX);
  if (!bytes.ok()) return bytes.status();
  onnx::ModelProto proto;
  if (!proto.ParseFromString(*bytes))
    return absl::DataLossError(absl::StrCat("'", path, "' is no ONNX file"));
  const onnx::GraphProto& graph = proto.graph();
  OnnxModel model;
  if (graph.output_size() == 1 && graph.output(0).type().tensor_type().shape().dim_size() == 2) {
    model.features = graph.output(0).type().tensor_type().shape().dim(1).dim_value();
  }
  for (const onnx::NodeProto& node : graph.node()) {
    OnnxModel::Node& to = model.nodes.emplace_back();
    to.op = node.op_type();
    to.inputs.assign(node.input().begin(), node.input().end());
    if (node.output_size() == 1) to.output = node.output(0);
    for (const onnx::AttributeProto& attribute : node.attribute()) {
      to.attributes[attribute.name()].assign(attribute.ints().begin(), attribute.ints().end());
    }
  }
  for (const onnx::TensorProto& tensor : graph.initializer()) {
    model.weights[tensor.name()] = {{tensor.dims().begin(), tensor.dims().end()},
                                    tensor.raw_data()};
  }
  // What is written again is the same, unless the file holds something that is not read here.
  if (ToProto(model).SerializeAsString() != *bytes) {
    return absl::DataLossError(
        absl::StrCat("'", path, "' is an ONNX file that this program did not write"));
  }
  return model;
}

}  // namespace tools
