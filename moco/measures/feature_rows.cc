#include "moco/measures/feature_rows.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_vector_norm.h>

#include <cstring>
#include <vector>

namespace moco {
namespace {
constexpr int64_t kGrain = 64;  // fewest rows that justify a thread
}

at::Tensor FeatureRows::Rows(const at::Tensor& index) const {
  const at::Tensor in_order = index.contiguous();
  const int64_t* rows = in_order.const_data_ptr<int64_t>();
  at::Tensor out = at::empty({in_order.numel(), columns}, at::kFloat);
  float* values = out.data_ptr<float>();
  at::parallel_for(0, in_order.numel(), kGrain, [&](int64_t begin, int64_t end) {
    read(rows + begin, end - begin, values + begin * columns);
  });
  return out;
}

at::Tensor FeatureRows::Rows(int64_t from, int64_t count) const {
  return Rows(at::arange(from, from + count, at::kLong));
}

at::Tensor UnitRows(const at::Tensor& x) {
  return x / at::linalg_vector_norm(x, 2, /*dim=*/1, /*keepdim=*/true).clamp_min(1e-12);
}

FeatureRows InMemory(const at::Tensor& features) {
  const at::Tensor held = features.detach().to(at::kCPU, at::kFloat).contiguous();
  const int64_t columns = held.size(1);
  return {held.size(0), columns, [held, columns](const int64_t* index, int64_t count, float* out) {
            const float* values = held.const_data_ptr<float>();
            for (int64_t i = 0; i < count; ++i) {
              std::memcpy(out + i * columns, values + index[i] * columns, sizeof(float) * columns);
            }
          }};
}

FeatureRows Some(const FeatureRows& rows, const at::Tensor& index) {
  const at::Tensor held = index.contiguous();
  return {held.numel(), rows.columns,
          [read = rows.read, held](const int64_t* wanted, int64_t count, float* out) {
            std::vector<int64_t> theirs(count);
            for (int64_t i = 0; i < count; ++i) {
              theirs[i] = held.const_data_ptr<int64_t>()[wanted[i]];
            }
            read(theirs.data(), count, out);
          }};
}

}  // namespace moco
