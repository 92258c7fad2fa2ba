// What every registered strategy keeps, from the features to the choice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tools/selection/select.h"
#include "tools/selection/strategy.h"
#include "tools/selection/test_features.h"

namespace selection {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kImages = 240;

class StrategyContract : public testing::TestWithParam<std::string> {
 protected:
  StrategyContract() : labelled_(kImages, false) {
    auto rows = TestRows(kImages, 8, 12, 0.6, 1);
    for (int64_t i = 0; i < 10; ++i) rows[i] = rows[100 + i];  // near duplicates
    table_.emplace(TestTable("contract_" + GetParam(), rows));
    options_.strategy = GetParam();
    options_.budget = 50;
  }

  absl::StatusOr<Selection> Choose() {
    return Select(*table_, labelled_, options_, [](const std::string&) {});
  }

  // The rows chosen, after what every selection keeps was looked at.
  std::vector<int64_t> Chosen() {
    const auto selection = Choose();
    EXPECT_TRUE(selection.ok()) << selection.status();
    if (!selection.ok()) return {};
    int64_t quotas = 0, candidates = 0;
    for (const Stratum& stratum : selection->strata) {
      EXPECT_LE(stratum.chosen.size(), stratum.candidates) << stratum.name;
      EXPECT_FALSE(stratum.name.empty());
      quotas += stratum.quota;
      candidates += stratum.candidates;
      for (const int64_t row : stratum.chosen) {
        if (stratum.cluster >= 0) {
          EXPECT_EQ(selection->clusters[row], stratum.cluster);
        }
      }
    }
    EXPECT_EQ(quotas, options_.budget);
    EXPECT_EQ(candidates, kImages - selection->excluded - selection->near_duplicates);
    EXPECT_EQ(selection->images, kImages);
    EXPECT_EQ(selection->excluded, std::count(labelled_.begin(), labelled_.end(), true));
    for (int64_t row = 0; row < kImages; ++row) {
      if (!selection->energies.empty()) {
        EXPECT_EQ(std::isnan(selection->energies[row]), labelled_[row]);
      }
      if (!selection->clusters.empty()) {
        EXPECT_EQ(selection->clusters[row] < 0, labelled_[row]);
      }
    }
    const std::vector<int64_t> chosen = InOrder(*selection);
    EXPECT_EQ(static_cast<int64_t>(chosen.size()), options_.budget);
    EXPECT_EQ(std::set<int64_t>(chosen.begin(), chosen.end()).size(), chosen.size()) << "twice";
    for (const int64_t row : chosen) EXPECT_FALSE(labelled_[row]) << row;
    return chosen;
  }

  std::vector<bool> labelled_;
  std::optional<lincls::FeatureTable> table_;
  SelectOptions options_;
};

TEST_P(StrategyContract, ChoosesAsManyAsItIsAskedFor) {
  for (const int64_t budget : {1, 2, 13, 100, 230}) {
    options_.budget = budget;
    Chosen();
  }
}

TEST_P(StrategyContract, OneSeedIsOneChoiceAndAnotherIsAnother) {
  const std::vector<int64_t> once = Chosen();
  EXPECT_EQ(Chosen(), once);
  options_.strategy = Strategies().Canonical(GetParam()).value();
  EXPECT_EQ(Chosen(), once);
  options_.seed = 1;
  EXPECT_NE(Chosen(), once);
}

TEST_P(StrategyContract, NeverTakesWhatHasALabel) {
  for (int64_t row = 0; row < kImages; ++row) labelled_[row] = row % 3 != 0;
  for (const int64_t budget : {1, 60}) {
    options_.budget = budget;
    Chosen();
  }
  options_.duplicates = 1;
  options_.budget = 80;  // all that are left
  Chosen();
}

TEST_P(StrategyContract, OfNearDuplicatesTakesOneUnlessAllAreWanted) {
  options_.budget = 230;
  const std::vector<int64_t> chosen = Chosen();
  const std::set<int64_t> all(chosen.begin(), chosen.end());
  for (int64_t i = 0; i < 10; ++i) EXPECT_EQ(all.count(i) + all.count(100 + i), 1) << i;
  options_.budget = 231;
  EXPECT_THAT(std::string(Choose().status().message()),
              HasSubstr("--budget is 231, but of 240 images only 230 can be chosen (10 are near "
                        "duplicates, which --duplicates=1"));
  options_.duplicates = 1;
  options_.budget = 240;
  Chosen();
  options_.budget = 241;
  EXPECT_THAT(std::string(Choose().status().message()),
              HasSubstr("--budget is 241, but of 240 images only 240 can be chosen"));
}

TEST_P(StrategyContract, WorksWithOneImage) {
  table_.emplace(TestTable("one_" + GetParam(), {{1, 2, 3}}));
  labelled_.resize(1);
  options_.budget = 1;
  const auto selection = Choose();
  ASSERT_TRUE(selection.ok()) << selection.status();
  EXPECT_EQ(InOrder(*selection), std::vector<int64_t>{0});
}

INSTANTIATE_TEST_SUITE_P(All, StrategyContract, testing::ValuesIn(Strategies().Names()),
                         [](const auto& info) { return info.param; });

TEST(StrategyContractTest, IsOfSomething) { EXPECT_FALSE(Strategies().Names().empty()); }

}  // namespace
}  // namespace selection
