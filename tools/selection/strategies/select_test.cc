// Select(): what it refuses, and what it passes to strategies.
#include "tools/selection/select.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tools/selection/test_features.h"

namespace selection {
namespace {

using ::testing::HasSubstr;

TEST(SelectTest, RefusesBeforeItReads) {
  const auto table = TestTable("refuses", TestRows(20, 4, 20, 1, 1));
  const auto error = [&](const SelectOptions& options) {
    const auto selection =
        Select(table, std::vector<bool>(20), options,
               [](const std::string& what) { FAIL() << "does '" << what << "' first"; });
    return std::string(selection.status().message());
  };
  SelectOptions options;
  options.budget = 5;
  options.strategy = "balance";
  EXPECT_THAT(error(options), HasSubstr("balanced"));
  options.strategy = "random";
  options.energy = "moco_loss";
  EXPECT_THAT(error(options), HasSubstr("--columns=moco_loss"));
  options.energy = "";
  options.clusters = 21;
  EXPECT_THAT(error(options), HasSubstr("--clusters is 21, more than the 20 images"));
}

TEST(SelectTest, TakesTheClustersAndTheEnergyThatAreAskedFor) {
  const auto table = TestTable("asked", TestRows(100, 4, 100, 1, 1));
  SelectOptions options;
  options.budget = 8;
  options.clusters = 2;
  auto selection = Select(table, std::vector<bool>(100), options, [](const std::string&) {});
  EXPECT_EQ(selection->strata.size(), 8);
  EXPECT_EQ(selection->clusters_made, 2);
  EXPECT_EQ(selection->energy, "density:neighbours=20,t=0.1");
  options.strategy = "random";
  options.energy = "density:t=0.5";
  selection = Select(table, std::vector<bool>(100), options, [](const std::string&) {});
  EXPECT_EQ(selection->energy, "density:neighbours=20,t=0.5");
  EXPECT_EQ(selection->energies.size(), 100);
  EXPECT_TRUE(selection->clusters.empty());
}

}  // namespace
}  // namespace selection
