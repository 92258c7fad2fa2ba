// ONNX files of convolutional networks. Does not use LibTorch, whose headers contain another
// version of protocol buffers.
#ifndef TOOLS_ONNX_FILE_H_
#define TOOLS_ONNX_FILE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tools {

inline constexpr int kOnnxOpset = 13;
inline constexpr char kOnnxGroup[] = "group";  // of a convolution: one number

// A graph from the input "images" (batch x 3 x height x width; all but the 3 are free) to the
// output "features" (batch x features), in float32.
struct OnnxModel {
  struct Node {
    std::string op;
    std::vector<std::string> inputs;
    std::string output;
    std::map<std::string, std::vector<int64_t>> attributes;  // lists, all but kOnnxGroup
  };
  struct Weight {
    std::vector<int64_t> shape;
    std::string bytes;  // little-endian floats in row-major order
  };

  int64_t features = 0;
  std::vector<Node> nodes;  // each after the nodes whose output it uses
  std::map<std::string, Weight> weights;
};

inline constexpr char kOnnxInput[] = "images", kOnnxOutput[] = "features";

// Writes atomically. InvalidArgument, to be read after the checkpoint's name, if the model is too
// large for a file of protocol buffers (2 GB).
absl::Status WriteOnnx(const std::string& path, const OnnxModel& model);

// Reads a file written by WriteOnnx. DataLoss if it is anything else.
absl::StatusOr<OnnxModel> ReadOnnx(const std::string& path);

// The contents of an ONNX file from any program. Nothing in the file is run, and text is unchanged.
struct OnnxContents {
  struct Entry {
    std::string name, type;
    std::vector<std::string> shape;
    std::string value;  // the CRC-32 of a tensor's elements, if they are stored as bytes
  };
  std::vector<Entry> facts;  // versions, inputs, outputs, how often each operator is used
  std::vector<Entry> tensors;
};

// InvalidArgument, naming the file, if it is not an ONNX model.
absl::StatusOr<OnnxContents> DescribeOnnx(const std::string& path);

}  // namespace tools

#endif  // TOOLS_ONNX_FILE_H_
