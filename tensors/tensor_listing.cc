#include "tensors/tensor_listing.h"

#include <zlib.h>

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"

namespace tensors {
namespace {

using pickle::Value;

using Visit = std::function<void(const std::string&, const Value&)>;

// Whether a list or tuple is best shown as a whole: it has neither tensors nor containers.
bool IsPlain(const Value& value) {
  return value.kind != Value::kDict &&
         std::all_of(value.items.begin(), value.items.end(), [](const Value* item) {
           return item->items.empty() && item->tensor == nullptr;
         });
}

// Recursion is as deep as a Document allows.
void Walk(const std::string& name, const Value& value, const Visit& visit) {
  if (value.items.empty() || IsPlain(value)) return visit(name, value);
  const std::string folder = name.empty() ? "" : name + "/";
  const bool is_dict = value.kind == Value::kDict;
  for (size_t i = 0; i < value.items.size(); i += is_dict ? 2 : 1) {
    const Value& key = *value.items[i];
    if (!is_dict) {
      Walk(absl::StrCat(folder, i), key, visit);
    } else if (key.kind == Value::kText) {
      Walk(absl::StrCat(folder, key.text), *value.items[i + 1], visit);
    } else {
      Walk(absl::StrCat(folder, key.integer), *value.items[i + 1], visit);
    }
  }
}

// Returns the first of the trailing dimensions that are contiguous, so that whole runs of bytes can
// be read.
size_t FirstContiguous(const pickle::TensorInfo& tensor, int64_t& elements) {
  size_t first = tensor.sizes.size();
  elements = 1;
  while (first > 0 && (tensor.strides[first - 1] == elements || tensor.sizes[first - 1] == 1)) {
    elements *= tensor.sizes[--first];
  }
  return first;
}

}  // namespace

void ForEachEntry(const Value& root, const Visit& visit) { Walk("", root, visit); }

std::string Printable(absl::string_view text) {
  std::string line;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') {
      absl::StrAppend(&line, "\\x", absl::Hex(static_cast<uint8_t>(c), absl::kZeroPad2));
    } else {
      line += c;
    }
  }
  return line;
}

absl::StatusOr<uint32_t> Digest(TensorFile& file, const pickle::TensorInfo& tensor) {
  const auto storage = file.Read(tensor);
  if (!storage.ok()) return storage.status();
  uint64_t crc = 0;
  for (int64_t size : tensor.sizes) {
    if (size == 0) return crc;
  }
  int64_t run;
  const size_t outer = FirstContiguous(tensor, run);
  std::vector<int64_t> index(outer);
  for (int64_t at = tensor.offset;;) {
    const auto* bytes = reinterpret_cast<const Bytef*>(storage->bytes.data());
    crc = crc32_z(crc, bytes + at * storage->dtype->width, run * storage->dtype->width);
    size_t i = outer;
    for (; i > 0; --i) {
      at += tensor.strides[i - 1];
      if (++index[i - 1] < tensor.sizes[i - 1]) break;
      at -= tensor.strides[i - 1] * index[i - 1];
      index[i - 1] = 0;
    }
    if (i == 0) return static_cast<uint32_t>(crc);
  }
}

}  // namespace tensors
