// The features of all images at unit length, read from their file a block at a time.
#ifndef TOOLS_SELECTION_ROWS_H_
#define TOOLS_SELECTION_ROWS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "lincls/tables/feature_table.h"

namespace selection {

// 1 / the Euclidean length of `row` (dim values); 0 for a row of zeros, and for one that is not
// finite.
float UnitScale(const float* row, int64_t dim);

class Rows {
 public:
  // Rows read at a time by a pass over all rows.
  static constexpr int64_t kBlock = 8192;

  // Reads all rows once; `table` must outlive the result. InvalidArgument, naming the file, for a
  // value that is not finite, and if all rows point in the same direction, so that nothing
  // distinguishes the images.
  static absl::StatusOr<Rows> Open(const lincls::FeatureTable& table);

  int64_t size() const { return static_cast<int64_t>(scales_.size()); }
  int64_t dim() const { return table_->features.columns(); }

  // out: count x dim(). A row of zeros is returned as it is.
  void Read(int64_t from, int64_t count, float* out) const;
  // out: rows.size() x dim().
  void Gather(const std::vector<int64_t>& rows, float* out) const;

 private:
  explicit Rows(const lincls::FeatureTable* table) : table_(table) {}
  void ReadOne(int64_t row, float* out) const;

  const lincls::FeatureTable* table_;
  std::vector<float> scales_;  // 1 / length
};

}  // namespace selection

#endif  // TOOLS_SELECTION_ROWS_H_
