#include "data/labels.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "data/listing.h"
#include "tensors/tensor_file.h"

namespace data {
absl::StatusOr<std::vector<int>> ReadLabelTensor(const std::string& path) {
  auto file = tensors::TensorFile::Open(path);
  if (!file.ok()) return file.status();
  const tensors::pickle::Value& root = file->root();
  if (root.kind != tensors::pickle::Value::kTensor || root.tensor->sizes.size() != 1) {
    return file->Unsuitable("is not a tensor of one dimension; write the labels with torch.save");
  }
  const tensors::pickle::TensorInfo& tensor = *root.tensor;
  auto storage = file->Read(tensor);
  if (!storage.ok()) return storage.status();
  if (storage->dtype->name != absl::string_view("int64")) {
    return file->Unsuitable(absl::StrCat("holds ", storage->dtype->name,
                                         "; labels must be int64: torch.save(labels.long(), ...)"));
  }
  std::vector<int> labels;
  for (int64_t i = 0; i < tensor.sizes[0]; ++i) {
    int64_t label;
    std::memcpy(&label, storage->bytes.data() + 8 * (tensor.offset + i * tensor.strides[0]), 8);
    if (label < 0 || label >= kMaxClasses) {
      return file->Unsuitable(absl::StrCat("has the label ", label, " in entry ", i,
                                           "; labels are 0 to ", kMaxClasses - 1));
    }
    labels.push_back(static_cast<int>(label));
  }
  return labels;
}

}  // namespace data
