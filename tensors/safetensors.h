// The safetensors format: eight bytes with the size of a JSON header, which names each tensor's
// dtype, shape and place in the bytes that follow it to the end of the file.
#ifndef TENSORS_SAFETENSORS_H_
#define TENSORS_SAFETENSORS_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tensors/pickle.h"

namespace tensors {

struct Safetensors {
  // A dict of tensors in the order of their bytes, each its own storage, by its name; and
  // "__metadata__", a dict of text, where the header has one.
  pickle::Document document;
  std::map<std::string, absl::string_view> storages;

  // DataLoss, with the reason, unless the tensors fill the file without gap or overlap.
  // InvalidArgument for a dtype that is not read. Both refer to `file`, which must outlive them.
  static absl::StatusOr<Safetensors> Parse(absl::string_view file);
};

}  // namespace tensors

#endif  // TENSORS_SAFETENSORS_H_
