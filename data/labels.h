// Tensors of labels that lie beside images.
#ifndef DATA_LABELS_H_
#define DATA_LABELS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace data {

// The labels in a file that torch.save wrote: an int64 tensor of one dimension, each entry 0 to
// kMaxClasses - 1. InvalidArgument and DataLoss name the file and the entry.
absl::StatusOr<std::vector<int>> ReadLabelTensor(const std::string& path);

}  // namespace data

#endif  // DATA_LABELS_H_
