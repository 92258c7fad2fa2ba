// Labels in NumPy's arrays.
#ifndef DATA_FORMATS_ARRAY_LABELS_H_
#define DATA_FORMATS_ARRAY_LABELS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/formats/array_file.h"
#include "data/formats/array_names.h"
#include "data/listing.h"

namespace data {

struct ArrayLabels {
  Classes classes;      // without labels if there are none, or they cannot be used
  absl::Status status;  // why they cannot be used, for Dataset::LabelStatus
};

// The labels of `images` images: numbers or names of shape (N,), (N, 1), or (N, K) with a single 1
// in each row. Classes are those of all splits. InvalidArgument or DataLoss if the array cannot be
// read at all.
absl::StatusOr<ArrayLabels> ReadArrayLabels(const ArrayFiles& files, const ChosenArrays& chosen,
                                            int64_t images);

}  // namespace data

#endif  // DATA_FORMATS_ARRAY_LABELS_H_
