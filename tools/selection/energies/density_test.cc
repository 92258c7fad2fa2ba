#include <gtest/gtest.h>

#include <cmath>

#include "tools/selection/energy.h"
#include "tools/selection/test_features.h"

namespace selection {
namespace {

TEST(DensityTest, IsTheFreeEnergyOfTheNearest) {
  const auto table = TestTable("density", {{1, 0}, {0, 1}});
  Neighbours found;
  found.k = 3;
  found.similarities = {0.9f, 0.5f, 0.1f, 0.2f, 0.2f, -1.0f};
  const auto all = Energies().Create("density:t=0.5,neighbours=20", table).value();
  EXPECT_EQ(all->neighbours(), 20);
  const std::vector<float> of_all = all->Of(table, found);
  EXPECT_NEAR(of_all[0],
              -0.5 * std::log(std::exp(0.9 / 0.5) + std::exp(0.5 / 0.5) + std::exp(0.1 / 0.5)),
              1e-6);
  const std::vector<float> of_two =
      Energies().Create("density:t=0.01,neighbours=2", table).value()->Of(table, found);
  EXPECT_NEAR(of_two[0], -0.9, 1e-6);
  EXPECT_NEAR(of_two[1], -0.2 - 0.01 * std::log(2), 1e-6);
}

}  // namespace
}  // namespace selection
