#include "tools/onnx_file.h"

#include <onnx/onnx_pb.h>
#include <zlib.h>

#include <climits>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/files.h"

namespace tools {
namespace {

// The version of the file's form that came with an opset: with ONNX 1.7 (2020), 1.10 (2021).
constexpr int IrVersion(int opset) { return opset < 15 ? 7 : 8; }

bool IsNumber(const std::string& attribute) {
  return attribute == kOnnxGroup || attribute == kOnnxTransB || attribute == kOnnxTo;
}

void Declare(const OnnxModel::Value& from, onnx::ValueInfoProto* to) {
  to->set_name(from.name);
  auto* type = to->mutable_type()->mutable_tensor_type();
  type->set_elem_type(from.is_bytes ? onnx::TensorProto::UINT8 : onnx::TensorProto::FLOAT);
  for (const std::string& size : from.shape) {
    int64_t number;
    auto* dim = type->mutable_shape()->add_dim();
    if (absl::SimpleAtoi(size, &number)) {
      dim->set_dim_value(number);
    } else {
      dim->set_dim_param(size);
    }
  }
}

std::vector<std::string> ShapeOf(const onnx::ValueInfoProto& value) {
  std::vector<std::string> shape;
  for (const auto& dim : value.type().tensor_type().shape().dim()) {
    shape.push_back(dim.has_dim_value() ? absl::StrCat(dim.dim_value()) : dim.dim_param());
  }
  return shape;
}

OnnxModel::Value Declared(const onnx::ValueInfoProto& value) {
  return {value.name(), value.type().tensor_type().elem_type() == onnx::TensorProto::UINT8,
          ShapeOf(value)};
}

onnx::ModelProto ToProto(const OnnxModel& model) {
  onnx::ModelProto proto;
  proto.set_ir_version(IrVersion(model.opset));
  proto.set_producer_name("MoCo++");
  proto.add_opset_import()->set_version(model.opset);
  onnx::GraphProto* graph = proto.mutable_graph();
  graph->set_name("encoder");
  Declare(model.input, graph->add_input());
  Declare(model.output, graph->add_output());
  for (const OnnxModel::Node& node : model.nodes) {
    onnx::NodeProto* to = graph->add_node();
    to->set_op_type(node.op);
    to->set_name(node.output);
    for (const std::string& input : node.inputs) to->add_input(input);
    to->add_output(node.output);
    for (const auto& [name, values] : node.attributes) {
      onnx::AttributeProto* attribute = to->add_attribute();
      attribute->set_name(name);
      if (IsNumber(name)) {
        attribute->set_type(onnx::AttributeProto::INT);
        attribute->set_i(values.at(0));
        continue;
      }
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
  for (const auto& [key, value] : model.metadata) {
    auto* entry = proto.add_metadata_props();
    entry->set_key(key);
    entry->set_value(value);
  }
  return proto;
}

// Other formats call FLOAT float32.
std::string TypeName(int32_t type) {
  if (type == onnx::TensorProto::FLOAT) return "float32";
  if (type == onnx::TensorProto::DOUBLE) return "float64";
  if (!onnx::TensorProto::DataType_IsValid(type)) return absl::StrCat("type ", type);
  return absl::AsciiStrToLower(
      onnx::TensorProto::DataType_Name(static_cast<onnx::TensorProto::DataType>(type)));
}

OnnxContents::Entry Describe(const std::string& what, const onnx::ValueInfoProto& value) {
  return {absl::StrCat(what, " ", value.name()), TypeName(value.type().tensor_type().elem_type()),
          ShapeOf(value), ""};
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
    return absl::DataLossError(absl::StrCat("'", path, "' is not an ONNX file"));
  const onnx::GraphProto& graph = proto.graph();
  OnnxModel model;
  if (proto.opset_import_size() == 1) {
    model.opset = static_cast<int>(proto.opset_import(0).version());
  }
  if (graph.input_size() == 1) model.input = Declared(graph.input(0));
  if (graph.output_size() == 1) model.output = Declared(graph.output(0));
  for (const auto& entry : proto.metadata_props()) model.metadata[entry.key()] = entry.value();
  for (const onnx::NodeProto& node : graph.node()) {
    OnnxModel::Node& to = model.nodes.emplace_back();
    to.op = node.op_type();
    to.inputs.assign(node.input().begin(), node.input().end());
    if (node.output_size() == 1) to.output = node.output(0);
    for (const onnx::AttributeProto& attribute : node.attribute()) {
      auto& values = to.attributes[attribute.name()];
      values.assign(attribute.ints().begin(), attribute.ints().end());
      if (IsNumber(attribute.name())) values = {attribute.i()};
    }
  }
  for (const onnx::TensorProto& tensor : graph.initializer()) {
    model.weights[tensor.name()] = {{tensor.dims().begin(), tensor.dims().end()},
                                    tensor.raw_data()};
  }
  // Writing the model again gives the same bytes, unless the file contains something that is not
  // read here.
  if (ToProto(model).SerializeAsString() != *bytes) {
    return absl::DataLossError(
        absl::StrCat("'", path, "' is an ONNX file that this program did not write"));
  }
  return model;
}

absl::StatusOr<OnnxContents> DescribeOnnx(const std::string& path) {
  const auto bytes = base::ReadFile(path, INT_MAX);
  if (!bytes.ok()) return bytes.status();
  onnx::ModelProto proto;
  if (!proto.ParseFromString(*bytes) || !proto.has_ir_version() || !proto.has_graph()) {
    return absl::InvalidArgumentError(absl::StrCat("'", path, "' is not an ONNX model"));
  }
  const onnx::GraphProto& graph = proto.graph();
  OnnxContents contents;
  const auto fact = [&](const std::string& name, const std::string& type, const auto& value) {
    contents.facts.push_back({name, type, {}, absl::StrCat(value)});
  };
  fact("producer", "text", proto.producer_name());
  fact("ir_version", "int", proto.ir_version());
  for (const auto& opset : proto.opset_import()) {
    fact(absl::StrCat("opset ", opset.domain()), "int", opset.version());
  }
  for (const auto& entry : proto.metadata_props()) fact(entry.key(), "text", entry.value());
  for (const auto& input : graph.input()) contents.facts.push_back(Describe("input", input));
  for (const auto& output : graph.output()) contents.facts.push_back(Describe("output", output));
  std::map<std::string, int> operators;
  for (const onnx::NodeProto& node : graph.node()) ++operators[node.op_type()];
  for (const auto& [op, count] : operators) fact(absl::StrCat("operator ", op), "int", count);
  for (const onnx::TensorProto& tensor : graph.initializer()) {
    auto& entry = contents.tensors.emplace_back();
    entry.name = tensor.name();
    entry.type = TypeName(tensor.data_type());
    for (const int64_t size : tensor.dims()) entry.shape.push_back(absl::StrCat(size));
    if (!tensor.has_raw_data()) continue;
    const std::string& raw = tensor.raw_data();
    entry.value =
        absl::StrFormat("%08x", crc32_z(0, reinterpret_cast<const Bytef*>(raw.data()), raw.size()));
  }
  return contents;
}

}  // namespace tools
