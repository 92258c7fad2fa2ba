// The safetensors format: eight bytes with the size of a JSON header, which states the dtype, shape
// and position of each tensor in the bytes that follow it.
#ifndef TENSORS_SAFETENSORS_H_
#define TENSORS_SAFETENSORS_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tensors/pickle.h"

namespace tensors {

struct Safetensors {
  // Contains a dict of tensors in the order of their bytes, each with a storage of its own that has
  // its name; and "__metadata__", a dict of text, if the header has one.
  pickle::Document document;
  std::map<std::string, absl::string_view> storages;

  // DataLoss, with the reason, unless the tensors fill the file without gaps or overlaps.
  // InvalidArgument for a dtype that is not supported. The results refer to `file`, which must
  // outlive them.
  static absl::StatusOr<Safetensors> Parse(absl::string_view file);
};

}  // namespace tensors

#endif  // TENSORS_SAFETENSORS_H_
