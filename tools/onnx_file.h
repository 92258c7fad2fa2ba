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

// The operators that are used mean the same in these and all between. The first is read by programs
// since 2020; the other is the newest that Debian's libonnx has.
inline constexpr int kOnnxOpset = 13, kNewestOnnxOpset = 17;

// Attributes that are one number: of a convolution, a matrix product and a cast.
inline constexpr char kOnnxGroup[] = "group", kOnnxTransB[] = "transB", kOnnxTo[] = "to";
inline constexpr int64_t kOnnxFloat = 1;  // for kOnnxTo

// A graph in float32 from one input to one output.
struct OnnxModel {
  struct Value {
    std::string name;
    bool is_bytes = false;           // uint8 instead of float32
    std::vector<std::string> shape;  // for each dimension its size, or a name if it is free
  };
  struct Node {
    std::string op;
    std::vector<std::string> inputs;
    std::string output;
    std::map<std::string, std::vector<int64_t>> attributes;  // lists, all but those above
  };
  struct Weight {
    std::vector<int64_t> shape;
    std::string bytes;  // little-endian floats in row-major order
  };

  int opset = kOnnxOpset;
  Value input, output;
  std::vector<Node> nodes;  // each after the nodes whose output it uses
  std::map<std::string, Weight> weights;
  std::map<std::string, std::string> metadata;
};

inline constexpr char kOnnxInput[] = "images", kOnnxFeatures[] = "features",
                      kOnnxLogits[] = "logits";

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
