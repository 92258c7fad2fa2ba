#include "tools/selection/k_means.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <vector>

#include "tools/selection/test_features.h"

extern "C" void sgemm_();

namespace selection {
namespace {

using ::testing::HasSubstr;

std::vector<int64_t> Sizes(const Clusters& clusters) {
  std::vector<int64_t> sizes(clusters.k, 0);
  for (const int of : clusters.of) ++sizes[of];
  return sizes;
}

// FAISS is ten times slower by Debian's BLAS.
TEST(ClustersTest, ProductsAreThoseOfLibTorch) {
  Dl_info info;
  ASSERT_NE(dladdr(dlsym(RTLD_DEFAULT, "sgemm_"), &info), 0);
  EXPECT_THAT(info.dli_fname, HasSubstr("libtorch_cpu"));
}

// As k-means does it: two groups may share a centre, where another has two.
TEST(ClustersTest, FindsWhatLiesTogether) {
  const auto table = TestTable("together", TestRows(1000, 16, 20, 0.2, 1));
  const Rows rows = Rows::Open(table).value();
  const Clusters clusters = SphericalKMeans(rows, 20, 3);
  ASSERT_EQ(clusters.of.size(), 1000);
  int whole = 0;
  for (int64_t group = 0; group < 20; ++group) {
    std::set<int> of_group;
    for (int64_t i = group; i < 1000; i += 20) of_group.insert(clusters.of[i]);
    whole += of_group.size() == 1;
  }
  EXPECT_GE(whole, 14);
}

TEST(ClustersTest, EachRowIsWithItsNearestCentreOfUnitLength) {
  const auto of_table = TestRows(3000, 8, 40, 1.0, 2);
  const auto table = TestTable("nearest", of_table);
  const Rows rows = Rows::Open(table).value();
  const Clusters clusters = SphericalKMeans(rows, 9, 3);  // of a part of the rows, then all
  std::vector<std::vector<float>> centres;
  for (int c = 0; c < 9; ++c) {
    centres.emplace_back(clusters.centres.begin() + 8 * c, clusters.centres.begin() + 8 * c + 8);
    EXPECT_NEAR(std::inner_product(centres[c].begin(), centres[c].end(), centres[c].begin(), 0.0),
                1, 1e-5);
  }
  for (int64_t i = 0; i < rows.size(); ++i) {
    double nearest = -1;
    for (const auto& centre : centres) nearest = std::max(nearest, Cosine(centre, of_table[i]));
    EXPECT_NEAR(Cosine(centres[clusters.of[i]], of_table[i]), nearest, 1e-5);
    EXPECT_NEAR(clusters.similarity[i], nearest, 1e-5);
  }
}

TEST(ClustersTest, TheSeedDecides) {
  const auto table = TestTable("seed", TestRows(1000, 8, 1000, 1.0, 3));
  const Rows rows = Rows::Open(table).value();
  const Clusters once = SphericalKMeans(rows, 20, 3);
  EXPECT_EQ(SphericalKMeans(rows, 20, 3).of, once.of);
  std::vector<double> shares;
  EXPECT_EQ(SphericalKMeans(rows, 20, 3, [&](double share) { shares.push_back(share); }).of,
            once.of);
  EXPECT_TRUE(std::is_sorted(shares.begin(), shares.end()));
  EXPECT_LT(shares.front(), 0.1);
  EXPECT_EQ(shares.back(), 1);
  EXPECT_GE(shares.size(), 20u);  // the rounds
  EXPECT_NE(SphericalKMeans(rows, 20, 4).of, once.of);
}

TEST(ClustersTest, NoneIsEmptyWhereFewRowsDiffer) {
  auto of_table = TestRows(200, 8, 3, 0.0, 4);  // three rows, 67 times each
  const auto table = TestTable("few", of_table);
  const Rows rows = Rows::Open(table).value();
  for (const int64_t k : {1, 3, 40, 199, 200}) {
    const std::vector<int64_t> sizes = Sizes(SphericalKMeans(rows, k, 5));
    EXPECT_EQ(sizes.size(), k);
    EXPECT_GE(*std::min_element(sizes.begin(), sizes.end()), 1) << k << " clusters";
  }
}

TEST(ClustersTest, AnEmptyOneTakesTheFarHalfOfTheLargest) {
  const auto table = TestTable("empty", {{1, 0}, {1, 0.1}, {1, 0.5}, {1, 0.6}, {0, 1}, {0, 1}});
  const Rows rows = Rows::Open(table).value();
  Clusters clusters;
  clusters.k = 3;
  clusters.centres = {1, 0, -1, 0, 0, 1};
  clusters.of = {0, 0, 0, 0, 2, 2};
  for (int i = 0; i < 6; ++i) {
    std::vector<float> row(2);
    rows.Read(i, 1, row.data());
    clusters.similarity.push_back(row[i < 4 ? 0 : 1]);
  }
  internal::FillEmpty(rows, clusters);
  EXPECT_EQ(clusters.of, (std::vector<int>{0, 0, 1, 1, 2, 2}));
  // Centres and similarities are those of the new clusters.
  EXPECT_NEAR(clusters.centres[1] / clusters.centres[0], 0.05, 0.002);
  EXPECT_NEAR(clusters.centres[3] / clusters.centres[2], 0.55, 0.002);
  for (int i = 0; i < 4; ++i) EXPECT_GT(clusters.similarity[i], 0.998);
}

TEST(ClustersTest, MembersGoFromTheCentreOutwards) {
  Clusters clusters;
  clusters.k = 2;
  clusters.of = {0, 1, 0, 0, 1};
  clusters.similarity = {0.2, 0.9, 0.8, 0.8, 0.1};
  EXPECT_EQ(ByCluster(clusters, {0, 1, 2, 3}), (std::vector<std::vector<int64_t>>{{2, 3, 0}, {1}}));
  EXPECT_EQ(ClustersFor(1), 1);
  EXPECT_EQ(ClustersFor(512'000), 506);
}

TEST(RowsTest, AreOfUnitLengthInAnyOrder) {
  const auto table = TestTable("unit", {{3, 4}, {0, 0}, {1e30f, 0}, {0, -2}});
  const Rows rows = Rows::Open(table).value();
  std::vector<float> read(8), gathered(4);
  rows.Read(0, 4, read.data());
  const std::vector<float> expected = {0.6, 0.8, 0, 0, 1, 0, 0, -1};
  for (int i = 0; i < 8; ++i) EXPECT_FLOAT_EQ(read[i], expected[i]);
  rows.Gather({3, 0}, gathered.data());
  EXPECT_FLOAT_EQ(gathered[1], -1);
  EXPECT_FLOAT_EQ(gathered[2], 0.6);
}

TEST(RowsTest, RefusesWhatTellsNothingApart) {
  EXPECT_THAT(
      std::string(Rows::Open(TestTable("same", {{1, 2}, {2, 4}, {0.5, 1}})).status().message()),
      HasSubstr("all 3 features of '"));
  EXPECT_TRUE(Rows::Open(TestTable("one", {{1, 2}})).ok());
  EXPECT_THAT(std::string(Rows::Open(TestTable("nan", {{1, 2}, {NAN, 4}})).status().message()),
              HasSubstr("row 1, of '1.png', holds nan"));
}

}  // namespace
}  // namespace selection
