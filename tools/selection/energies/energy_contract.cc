// What every registered energy keeps.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "tools/selection/energy.h"
#include "tools/selection/k_means.h"
#include "tools/selection/test_features.h"

namespace selection {
namespace {

constexpr int64_t kImages = 60;

class EnergyContract : public testing::TestWithParam<std::string> {
 protected:
  // The rows, and their columns, in the order of `order`.
  static lincls::FeatureTable Table(const std::vector<int64_t>& order) {
    const auto rows = TestRows(kImages, 8, 7, 0.8, 1);
    std::vector<std::vector<float>> ordered;
    std::map<std::string, std::vector<double>> columns;
    for (const int64_t row : order) {
      ordered.push_back(rows[row]);
      columns["disagreement"].push_back(std::sin(row));
      columns["moco_loss"].push_back(std::cos(row));
    }
    lincls::FeatureTable table = TestTable(GetParam(), ordered);
    table.columns = columns;
    return table;
  }

  static std::vector<float> Of(const lincls::FeatureTable& table, const std::string& spec) {
    const auto energy = Energies().Create(spec, table).value();
    NeighbourOptions options;
    options.k = energy->neighbours();
    const Rows rows = Rows::Open(table).value();
    return energy->Of(
        table, FindApproximateNeighbours(rows, SphericalKMeans(rows, 4, 1),
                                         std::vector<bool>(rows.size()), options, [](double) {}));
  }
};

TEST_P(EnergyContract, IsAFiniteNumberOfEachImageThatTellsThemApart) {
  std::vector<int64_t> order(kImages);
  for (int64_t i = 0; i < kImages; ++i) order[i] = i;
  const auto table = Table(order);
  const std::vector<float> energies = Of(table, GetParam());
  ASSERT_EQ(energies.size(), kImages);
  for (const float energy : energies) EXPECT_TRUE(std::isfinite(energy));
  EXPECT_LT(*std::min_element(energies.begin(), energies.end()),
            *std::max_element(energies.begin(), energies.end()));
  EXPECT_EQ(Of(table, Energies().Canonical(GetParam()).value()), energies);
}

TEST_P(EnergyContract, BelongsToTheImageAndNotToItsPlace) {
  std::vector<int64_t> order(kImages), mixed(kImages);
  for (int64_t i = 0; i < kImages; ++i) {
    order[i] = i;
    mixed[i] = i * 7 % kImages;
  }
  const std::vector<float> energies = Of(Table(order), GetParam());
  const std::vector<float> of_mixed = Of(Table(mixed), GetParam());
  for (int64_t i = 0; i < kImages; ++i) EXPECT_NEAR(of_mixed[i], energies[mixed[i]], 1e-5);
}

INSTANTIATE_TEST_SUITE_P(All, EnergyContract, testing::ValuesIn(Energies().Names()),
                         [](const auto& info) { return info.param; });

TEST(EnergyContractTest, IsOfSomething) { EXPECT_FALSE(Energies().Names().empty()); }

}  // namespace
}  // namespace selection
