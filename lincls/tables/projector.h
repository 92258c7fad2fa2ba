// Features for TensorBoard's embedding projector.
#ifndef LINCLS_TABLES_PROJECTOR_H_
#define LINCLS_TABLES_PROJECTOR_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "lincls/tables/feature_table.h"

namespace lincls {

// Writes the features of at most `most` images into `folder`, for `tensorboard --logdir folder`. If
// there are more, it writes a random sample that depends on the seed.
//   tensors.tsv           the features, one line per image
//   metadata.tsv          file, class, and the table's columns; with a header
//   sprite.png            the images, in squares; at most 8192 x 8192 pixels, TensorBoard's limit
//   projector_config.pbtxt
//
// Returns how many images were written. Errors of the files, of OpenImages and of CheckFinite.
absl::StatusOr<int64_t> WriteProjector(const FeatureTable& table, int64_t most, uint64_t seed,
                                       const std::string& folder);

}  // namespace lincls

#endif  // LINCLS_TABLES_PROJECTOR_H_
