#include "tools/selection/rows.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace selection {
namespace {

constexpr int64_t kGrain = 64;  // rows that are worth a thread
// Two unit vectors count as equal if no coordinate differs by more.
constexpr float kSame = 1e-5f;

}  // namespace

float UnitScale(const float* row, int64_t dim) {
  double square = 0;  // in double: the squares of what float32 holds do not overflow
  for (int64_t d = 0; d < dim; ++d) square += static_cast<double>(row[d]) * row[d];
  return square > 0 ? static_cast<float>(1 / std::sqrt(square)) : 0;
}

absl::StatusOr<Rows> Rows::Open(const lincls::FeatureTable& table) {
  Rows rows(&table);
  const int64_t size = table.size(), dim = table.features.columns();
  rows.scales_.resize(size);
  std::vector<float> block(kBlock * dim), first(dim);
  bool differ = false;
  for (int64_t from = 0; from < size; from += kBlock) {
    const int64_t count = std::min(kBlock, size - from);
    at::parallel_for(0, count, kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        float* row = block.data() + i * dim;
        table.features.Read(from + i, 1, row);
        rows.scales_[from + i] = UnitScale(row, dim);
      }
    });
    for (int64_t i = 0; i < count; ++i) {
      const float* row = block.data() + i * dim;
      const float scale = rows.scales_[from + i];
      if (scale == 0) {  // zeros, or not finite
        if (absl::Status s = lincls::CheckFinite(table, from + i, 1, row); !s.ok()) return s;
      }
      if (from + i == 0) {
        for (int64_t d = 0; d < dim; ++d) first[d] = row[d] * scale;
      }
      for (int64_t d = 0; d < dim && !differ; ++d) {
        differ = std::abs(row[d] * scale - first[d]) > kSame;
      }
    }
  }
  if (!differ && size > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("all ", size, " features of '", table.features.path(),
                     "' point in the same direction, so that nothing distinguishes the images; use "
                     "other features or another checkpoint"));
  }
  return rows;
}

void Rows::Read(int64_t from, int64_t count, float* out) const {
  at::parallel_for(0, count, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) ReadOne(from + i, out + i * dim());
  });
}

void Rows::Gather(const std::vector<int64_t>& rows, float* out) const {
  at::parallel_for(0, rows.size(), kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) ReadOne(rows[i], out + i * dim());
  });
}

void Rows::ReadOne(int64_t row, float* out) const {
  table_->features.Read(row, 1, out);
  const float scale = scales_[row];
  for (int64_t d = 0; d < dim(); ++d) out[d] *= scale;
}

}  // namespace selection
