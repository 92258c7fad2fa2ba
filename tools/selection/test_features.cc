#include "tools/selection/test_features.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/rng.h"
#include "tensors/npy.h"

namespace selection {

std::vector<std::vector<float>> TestRows(int64_t count, int64_t dim, int64_t centres, double spread,
                                         uint64_t seed) {
  base::Rng rng(seed, base::Purpose::kTest);
  const auto draw = [&] {
    std::vector<float> row(dim);
    for (float& value : row) value = static_cast<float>(rng.Uniform(-1, 1));
    return row;
  };
  std::vector<std::vector<float>> of_centres, rows;
  for (int64_t c = 0; c < centres; ++c) of_centres.push_back(draw());
  for (int64_t i = 0; i < count; ++i) {
    std::vector<float> row = draw();
    for (int64_t d = 0; d < dim; ++d) row[d] = of_centres[i % centres][d] + spread * row[d];
    rows.push_back(row);
  }
  return rows;
}

lincls::FeatureTable TestTable(const std::string& name,
                               const std::vector<std::vector<float>>& rows) {
  const std::string path = absl::StrCat(testing::TempDir(), "/", name);
  auto file = tensors::NpyWriter::Open(path + ".npy", tensors::NpyType::kFloat32, rows[0].size(), 0)
                  .value();
  std::string names = "file\n";
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_TRUE(file->Append(rows[i].data(), 1).ok());
    absl::StrAppend(&names, i, ".png\n");
  }
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_TRUE(base::WriteFileAtomically(path + ".csv", names).ok());
  return lincls::OpenFeatures(path + ".npy").value();
}

double Cosine(const std::vector<float>& a, const std::vector<float>& b) {
  const auto dot = [](const auto& x, const auto& y) {
    return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
  };
  return dot(a, b) / std::sqrt(dot(a, a) * dot(b, b));
}

}  // namespace selection
