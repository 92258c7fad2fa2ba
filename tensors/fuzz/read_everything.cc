#include "tensors/fuzz/read_everything.h"

#include <string>

#include "tensors/npy.h"
#include "tensors/pickle.h"
#include "tensors/tensor_file.h"
#include "tensors/tensor_listing.h"

namespace tensors {

bool ReadEverything(absl::string_view bytes) {
  auto file = TensorFile::Parse("fuzzed", bytes);
  if (file.ok()) {
    ForEachEntry(file->root(), [&](const std::string& name, const pickle::Value& value) {
      if (value.kind == pickle::Value::kTensor) Digest(*file, *value.tensor).IgnoreError();
    });
    return true;
  }
  if (ReadNpyHeader("fuzzed", bytes).ok()) return true;
  const auto document = pickle::Document::Parse(bytes);
  if (!document.ok()) return false;
  ForEachEntry(document->root(), [](const std::string& name, const pickle::Value& value) {});
  return true;
}

}  // namespace tensors
