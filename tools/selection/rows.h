// The features of all images at unit length, read from their file block by block.
#ifndef TOOLS_SELECTION_ROWS_H_
#define TOOLS_SELECTION_ROWS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "lincls/tables/feature_table.h"

namespace tools {

class Rows {
 public:
  // How many rows are read at a time where all are.
  static constexpr int64_t kBlock = 8192;

  // Reads them all once; `table` must outlive it. InvalidArgument, naming the file, for a value
  // that is not finite, and where all rows point in one direction, so that nothing tells images
  // apart.
  static absl::StatusOr<Rows> Open(const lincls::FeatureTable& table);

  int64_t size() const { return static_cast<int64_t>(scales_.size()); }
  int64_t dim() const { return table_->features.columns(); }

  // out: count x dim(). A row of zeros stays one.
  void Read(int64_t from, int64_t count, float* out) const;
  // out: rows.size() x dim().
  void Gather(const std::vector<int64_t>& rows, float* out) const;

 private:
  explicit Rows(const lincls::FeatureTable* table) : table_(table) {}
  void ReadOne(int64_t row, float* out) const;

  const lincls::FeatureTable* table_;
  std::vector<float> scales_;  // 1 / length
};

}  // namespace tools

#endif  // TOOLS_SELECTION_ROWS_H_
