// What each strategy says of itself, against a plain way of doing it.
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tools/selection/strategy.h"
#include "tools/selection/test_features.h"

namespace selection {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class StrategiesTest : public testing::Test {
 protected:
  // A pool of `rows`, in clusters where each row's cluster and its similarity to the centre are
  // given by functions of its number.
  StrategiesTest()
      : own_(TestRows(400, 10, 25, 0.7, 1)),
        table_(TestTable("strategies", own_)),
        rows_(Rows::Open(table_).value()) {}

  Pool PoolOf(int64_t first_labelled = 400) const {
    Pool pool{.rows = rows_};
    for (int64_t row = 0; row < 400; ++row) {
      (row < first_labelled ? pool.candidates : pool.labelled).push_back(row);
    }
    return pool;
  }

  static Strategy::Choice Choose(const std::string& spec, const Pool& pool, int64_t budget) {
    base::Rng rng(7, base::Purpose::kTest);
    return Strategies().Create(spec).value()->Choose(pool, budget, rng);
  }

  const std::vector<std::vector<float>> own_;
  const lincls::FeatureTable table_;
  const Rows rows_;
};

TEST_F(StrategiesTest, BalancedTakesEqualSharesOfEachPartOfEachCluster) {
  Pool pool = PoolOf();
  pool.clusters.k = 5;
  for (int64_t row = 0; row < 400; ++row) {
    pool.clusters.of.push_back(static_cast<int>(row % 5));
    pool.clusters.similarity.push_back(1 - 0.001f * static_cast<float>(row));
    pool.energies.push_back(static_cast<float>(row * 7 % 400));
  }
  const Strategy::Choice choice = Choose("balanced", pool, 40);
  EXPECT_THAT(choice.notes, IsEmpty());
  ASSERT_EQ(choice.strata.size(), 20);
  for (const Stratum& stratum : choice.strata) {
    EXPECT_EQ(stratum.candidates, 20);
    EXPECT_EQ(stratum.quota, 2);
    ASSERT_EQ(stratum.chosen.size(), 2) << stratum.name;
    // The nearer half of each cluster are its rows below 200; of either, the lower half of
    // energies.
    const bool centre = absl::StrContains(stratum.name, "centre");
    std::vector<float> of_half;
    for (int64_t row = centre ? 0 : 200; row < (centre ? 200 : 400); ++row) {
      if (row % 5 == stratum.cluster) of_half.push_back(pool.energies[row]);
    }
    std::sort(of_half.begin(), of_half.end());
    for (const int64_t row : stratum.chosen) {
      EXPECT_EQ(row % 5, stratum.cluster);
      EXPECT_EQ(row < 200, centre) << stratum.name;
      EXPECT_EQ(pool.energies[row] < of_half[20], absl::StrContains(stratum.name, "low"))
          << stratum.name;
    }
    EXPECT_THAT(stratum.name, HasSubstr(absl::StrCat("cluster ", stratum.cluster, ", ")));
  }
}

TEST_F(StrategiesTest, BalancedMakesUpForAShortageAndSaysSo) {
  Pool pool = PoolOf();
  pool.clusters.k = 4;  // of 10, 130, 130 and 130 rows
  for (int64_t row = 0; row < 400; ++row) {
    pool.clusters.of.push_back(row < 10 ? 0 : static_cast<int>(1 + row % 3));
    pool.clusters.similarity.push_back(0.5);
    pool.energies.push_back(0);
  }
  Strategy::Choice choice = Choose("balanced", pool, 100);
  EXPECT_THAT(choice.notes,
              ElementsAre("1 of 4 clusters have fewer images than their share; 15 come from other "
                          "clusters instead, in equal shares"));
  std::map<int, int64_t> chosen, quotas;
  for (const Stratum& stratum : choice.strata) {
    chosen[stratum.cluster] += stratum.chosen.size();
    quotas[stratum.cluster] += stratum.quota;
  }
  EXPECT_THAT(quotas,
              ElementsAre(std::pair(0, 25), std::pair(1, 25), std::pair(2, 25), std::pair(3, 25)));
  EXPECT_THAT(chosen,
              ElementsAre(std::pair(0, 10), std::pair(1, 30), std::pair(2, 30), std::pair(3, 30)));
  // Of 10 images the parts have 3, 2, 3 and 2: a share of 9 leaves one part short at most.
  choice = Choose("balanced", pool, 36);
  int64_t of_small = 0;
  for (int part = 0; part < 4; ++part) of_small += choice.strata[part].chosen.size();
  EXPECT_EQ(of_small, 9);
  for (const std::string& note : choice.notes) {
    EXPECT_THAT(note, HasSubstr("1 strata have fewer images than their share; 1 come from other "));
  }
}

TEST_F(StrategiesTest, BalancedAsksForAsManyClustersAsEachStratumCanHaveAnImageOf) {
  const auto needs = [](int64_t images, int64_t budget) {
    return Strategies().Create("balanced").value()->needs(images, 0, budget).clusters;
  };
  EXPECT_EQ(needs(512'000, 12'800), 506);
  EXPECT_EQ(needs(512'000, 400), 100);
  EXPECT_EQ(needs(512'000, 1), 1);
  EXPECT_EQ(needs(1, 1), 1);
}

// Greedy k-center, row after row.
std::vector<int64_t> PlainKCenter(const std::vector<std::vector<float>>& rows,
                                  std::vector<int64_t> centres, int64_t candidates, int64_t more) {
  std::vector<int64_t> chosen;
  while (more-- > 0) {
    int64_t farthest = -1;
    double least = std::numeric_limits<double>::infinity();
    for (int64_t i = 0; i < candidates; ++i) {
      double nearest = -1;
      for (const int64_t centre : centres)
        nearest = std::max(nearest, Cosine(rows[i], rows[centre]));
      if (nearest < least) {
        least = nearest;
        farthest = i;
      }
    }
    centres.push_back(farthest);
    chosen.push_back(farthest);
  }
  return chosen;
}

TEST_F(StrategiesTest, KCenterIsTheGreedyOneWhateverItsPool) {
  const Pool pool = PoolOf(/*first_labelled=*/380);
  const std::vector<int64_t> expected = PlainKCenter(own_, pool.labelled, 380, 60);
  for (const char* spec : {"k_center", "k_center:pool=1", "k_center:pool=7", "k_center:pool=50"}) {
    const Strategy::Choice choice = Choose(spec, pool, 60);
    EXPECT_EQ(choice.strata[0].chosen, expected) << spec;
  }
}

TEST_F(StrategiesTest, KCenterIsTheSameWithAnyNumberOfThreads) {
  const Pool pool = PoolOf(/*first_labelled=*/380);
  std::vector<std::vector<int64_t>> chosen;
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    chosen.push_back(Choose("k_center:pool=50", pool, 200).strata[0].chosen);
  }
  at::set_num_threads(1);
  EXPECT_EQ(chosen[1], chosen[0]);
  EXPECT_EQ(chosen[2], chosen[0]);
}

TEST_F(StrategiesTest, KCenterWithoutLabelsBeginsAnywhere) {
  const std::vector<int64_t> chosen = Choose("k_center:pool=9", PoolOf(), 40).strata[0].chosen;
  const std::vector<int64_t> rest = PlainKCenter(own_, {chosen[0]}, 400, 39);
  EXPECT_EQ(std::vector<int64_t>(chosen.begin() + 1, chosen.end()), rest);
}

TEST_F(StrategiesTest, TypicalTakesTheMostTypicalOfTheLeastLabelledClusters) {
  Pool pool = PoolOf(/*first_labelled=*/398);
  pool.clusters.k = 4;
  // Of 4, 100, 150 and 146 images; the labelled ones are in the third.
  for (int64_t row = 0; row < 400; ++row) {
    pool.clusters.of.push_back(row < 4 ? 0 : row < 104 ? 1 : row < 252 || row >= 398 ? 2 : 3);
    pool.clusters.similarity.push_back(0.5);
    // The neighbours of row i are as far as i * 7 mod 400 says.
    const auto far = static_cast<float>(row * 7 % 400);
    pool.neighbours.similarities.push_back(1 - 0.001f * far);
    pool.neighbours.similarities.push_back(0.9f - 0.001f * far);
  }
  pool.neighbours.k = 2;
  const Strategy::Choice choice = Choose("typical", pool, 7);
  std::vector<int> order;
  for (const Stratum& stratum : choice.strata) order.push_back(stratum.cluster);
  // Without labels the larger first, then the one with two labels, then the small one.
  EXPECT_THAT(order, ElementsAre(3, 1, 2, 0));
  EXPECT_EQ(choice.strata[0].chosen.size(), 3);
  EXPECT_EQ(choice.strata[1].chosen.size(), 2);
  EXPECT_EQ(choice.strata[2].chosen.size(), 2);
  EXPECT_THAT(choice.strata[3].chosen, IsEmpty());
  EXPECT_EQ(choice.notes.size(), 1);
  for (int s = 0; s < 3; ++s) {
    const auto key = [](int64_t row) { return row * 7 % 400; };
    std::vector<int64_t> members;
    for (const int64_t row : pool.candidates) {
      if (pool.clusters.of[row] == order[s]) members.push_back(row);
    }
    std::sort(members.begin(), members.end(),
              [&](int64_t a, int64_t b) { return key(a) < key(b); });
    members.resize(choice.strata[s].chosen.size());
    EXPECT_EQ(choice.strata[s].chosen, members);
  }
  // All: the small one too.
  int64_t all = 0;
  for (const Stratum& stratum : Choose("typical", pool, 398).strata) all += stratum.chosen.size();
  EXPECT_EQ(all, 398);
}

TEST_F(StrategiesTest, TypicalHasAsManyClustersAsThereWillBeLabelsButNoMoreThanItsOption) {
  const auto needs = [](const std::string& spec, int64_t labelled, int64_t budget) {
    return Strategies().Create(spec).value()->needs(100'000, labelled, budget).clusters;
  };
  EXPECT_EQ(needs("typical", 0, 30), 30);
  EXPECT_EQ(needs("typical", 50, 30), 80);
  EXPECT_EQ(needs("typical", 0, 3000), 500);
  EXPECT_EQ(needs("typical:max_clusters=7", 0, 30), 7);
  EXPECT_EQ(needs("typical", 99'990, 10), 10);  // no more than can be chosen
}

}  // namespace
}  // namespace selection
