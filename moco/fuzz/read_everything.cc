#include "moco/fuzz/read_everything.h"

#include <string>

#include "moco/pickle.h"
#include "moco/tensor_file.h"
#include "moco/tensor_listing.h"

namespace moco {

bool ReadEverything(absl::string_view bytes) {
  auto file = TensorFile::Parse("fuzzed", bytes);
  if (file.ok()) {
    ForEachEntry(file->root(), [&](const std::string& name, const pickle::Value& value) {
      if (value.kind == pickle::Value::kTensor) Digest(*file, *value.tensor).IgnoreError();
    });
    return true;
  }
  const auto document = pickle::Document::Parse(bytes);
  if (!document.ok()) return false;
  ForEachEntry(document->root(), [](const std::string& name, const pickle::Value& value) {});
  return true;
}

}  // namespace moco
