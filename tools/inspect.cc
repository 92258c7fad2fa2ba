// Prints the contents of tensor files, without running any code in them.
//
//   bazel run //tools:inspect -- FILE...
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "base/program.h"
#include "tensors/pickle.h"
#include "tensors/tensor_file.h"
#include "tensors/tensor_listing.h"
#include "tools/onnx_file.h"

namespace {

using tensors::pickle::Value;

constexpr char kUsage[] =
    "Prints the contents of tensor files: checkpoints of this program and others (.pth.tar, .pth, "
    ".pt), safetensors and ONNX.\n"
    "For each tensor: dtype, shape and the CRC-32 of its elements in row-major order; for "
    "everything else: the value.\n"
    "No code in a file is executed.\n\n"
    "  bazel run //tools:inspect -- FILE...\n";

constexpr size_t kWidest = 64;  // of a column that the next one is aligned to, and of text

struct Row {
  std::string name, type, shape, value;
};

std::string Text(const Value& value) {
  switch (value.kind) {
    case Value::kBool:
      return value.integer ? "true" : "false";
    case Value::kInt:
      return absl::StrCat(value.integer);
    case Value::kFloat:
      return absl::StrCat(value.number);
    case Value::kText:
      return value.text.size() > kWidest
                 ? absl::StrCat(tensors::Printable(value.text.substr(0, kWidest)), "...")
                 : tensors::Printable(value.text);
    case Value::kOpaque:
      return absl::StrCat(tensors::Printable(value.text), ", not read");
    case Value::kStorage:
      return "a storage without a tensor, not read";
    case Value::kDict:
      return "empty";
    case Value::kList:
    case Value::kTuple: {
      std::string text;
      for (const Value* item : value.items) {
        absl::StrAppend(&text, text.empty() ? "" : ", ", Text(*item));
        if (text.size() <= kWidest) continue;
        return absl::StrCat(text, ", ... (", value.items.size(), ")");
      }
      return text.empty() ? "empty" : text;
    }
    default:
      return "";
  }
}

const char* TypeName(const Value& value) {
  constexpr const char* kNames[] = {"none",  "bool", "int",    "float",  "text",  "list",
                                    "tuple", "dict", "object", "tensor", "object"};
  return kNames[value.kind];
}

void Print(const std::string& path, absl::string_view format, int64_t tensors,
           const std::vector<Row>& rows) {
  size_t name_width = 0, type_width = 0, shape_width = 0;
  for (const Row& row : rows) {
    name_width = std::max(name_width, std::min(row.name.size(), kWidest));
    type_width = std::max(type_width, row.type.size());
    shape_width = std::max(shape_width, std::min(row.shape.size(), kWidest));
  }
  absl::PrintF("%s: %s, %d tensor%s\n", path, format, tensors, tensors == 1 ? "" : "s");
  for (const Row& row : rows) {
    std::string line = absl::StrFormat("  %-*s  %-*s  %-*s  %s", name_width, row.name, type_width,
                                       row.type, shape_width, row.shape, row.value);
    line.resize(line.find_last_not_of(' ') + 1);
    std::puts(line.c_str());
  }
}

void PrintOnnx(const std::string& path, const tools::OnnxContents& contents) {
  std::vector<Row> rows;
  for (const auto* entries : {&contents.facts, &contents.tensors}) {
    for (const auto& [name, type, shape, value] : *entries) {
      rows.push_back({tensors::Printable(name), type, tensors::Printable(absl::StrJoin(shape, "x")),
                      tensors::Printable(value)});
      if (entries == &contents.tensors && shape.empty()) rows.back().shape = "scalar";
    }
  }
  Print(path, "onnx", contents.tensors.size(), rows);
}

absl::Status Inspect(const std::string& path) {
  auto file = tensors::TensorFile::Open(path);
  if (absl::IsInvalidArgument(file.status())) {
    if (const auto onnx = tools::DescribeOnnx(path); onnx.ok()) {
      PrintOnnx(path, *onnx);
      return absl::OkStatus();
    }
  }
  if (!file.ok()) return file.status();
  std::vector<Row> rows;
  absl::Status status;
  int64_t tensors = 0;
  tensors::ForEachEntry(file->root(), [&](const std::string& name, const Value& value) {
    Row row;
    if (value.kind != Value::kTensor) {
      row = {"", TypeName(value), "", Text(value)};
    } else {
      const tensors::pickle::TensorInfo& info = *value.tensor;
      const auto digest = tensors::Digest(*file, info);
      // A type that is not read must not hide the rest of the file.
      const bool unread = absl::IsInvalidArgument(digest.status());
      if (!digest.ok() && !unread) return status.Update(digest.status());
      const std::string type(absl::StripSuffix(info.storage_type, "Storage"));
      row = {"", unread ? tensors::Printable(type) : file->Read(info)->dtype->name,
             info.sizes.empty() ? "scalar" : absl::StrJoin(info.sizes, "x"),
             unread ? "of a type that is not read" : absl::StrFormat("%08x", *digest)};
      ++tensors;
    }
    row.name = name.empty() ? "(the file)" : tensors::Printable(name);
    rows.push_back(std::move(row));
  });
  if (!status.ok()) return status;
  Print(path, file->format(), tensors, rows);
  return absl::OkStatus();
}

absl::Status InspectAll(const base::Arguments& files) {
  for (const std::string& path : files) {
    if (absl::Status s = Inspect(base::UserPath(path)); !s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  return base::Main(argc, argv, {.usage = kUsage, .arguments = "FILE..."}, InspectAll);
}
