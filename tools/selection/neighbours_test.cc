#include "tools/selection/neighbours.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "tools/selection/k_means.h"
#include "tools/selection/test_features.h"

namespace selection {
namespace {

// The k largest cosines of each row and others, by looking at all.
std::vector<double> BruteForce(const std::vector<std::vector<float>>& rows, int64_t k) {
  std::vector<double> nearest;
  for (size_t i = 0; i < rows.size(); ++i) {
    std::vector<double> cosines;
    for (size_t j = 0; j < rows.size(); ++j) {
      if (i != j) cosines.push_back(Cosine(rows[i], rows[j]));
    }
    std::sort(cosines.begin(), cosines.end(), std::greater<>());
    nearest.insert(nearest.end(), cosines.begin(), cosines.begin() + k);
  }
  return nearest;
}

Neighbours Find(const lincls::FeatureTable& table, int64_t lists, NeighbourOptions options,
                std::vector<bool> labelled = {}) {
  const Rows rows = Rows::Open(table).value();
  labelled.resize(rows.size());
  double last = 0;
  const Neighbours found = FindApproximateNeighbours(rows, SphericalKMeans(rows, lists, 1),
                                                     labelled, options, [&](double share) {
                                                       EXPECT_GT(share, last);
                                                       last = share;
                                                     });
  EXPECT_EQ(last, 1);
  return found;
}

TEST(NeighboursTest, AreExactWhereAllAreCompared) {
  const auto rows = TestRows(500, 12, 20, 0.7, 1);
  const auto table = TestTable("exact", rows);
  NeighbourOptions options;
  options.k = 7;
  const Neighbours found = Find(table, 15, options);
  EXPECT_EQ(found.recall, 1);
  const std::vector<double> expected = BruteForce(rows, 7);
  ASSERT_EQ(found.similarities.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(found.similarities[i], expected[i], 1e-5);
  }
}

// Clusters so far apart that most of the others cannot hold a neighbour, and are passed over.
TEST(NeighboursTest, AreExactWhereClustersArePassedOver) {
  const auto rows = TestRows(700, 24, 20, 0.15, 5);
  const auto table = TestTable("apart", rows);
  const std::vector<double> expected = BruteForce(rows, 40);  // a cluster has 35
  NeighbourOptions options;
  for (const int64_t k : {3, 40}) {
    options.k = k;
    const Neighbours found = Find(table, 18, options);
    for (int64_t row = 0; row < 700; ++row) {
      for (int64_t i = 0; i < k; ++i) {
        EXPECT_NEAR(found.similarities[row * k + i], expected[row * 40 + i], 1e-5);
      }
    }
  }
}

TEST(NeighboursTest, AreTheSameWithAnyNumberOfThreads) {
  const auto rows = TestRows(3000, 12, 30, 0.3, 6);
  const auto table = TestTable("threads", rows);
  const Rows open = Rows::Open(table).value();
  const Clusters lists = SphericalKMeans(open, 40, 1);
  const std::vector<bool> labelled(3000);
  NeighbourOptions options;
  options.compared = 500;
  options.duplicates = 0.98;
  const auto find = [&](int threads) {
    at::set_num_threads(threads);
    return FindApproximateNeighbours(open, lists, labelled, options, [](double) {});
  };
  const Neighbours one = find(1);
  EXPECT_GT(std::count(one.repeated.begin(), one.repeated.end(), true), 10);
  for (const int threads : {2, 3}) {
    const Neighbours several = find(threads);
    EXPECT_EQ(several.similarities, one.similarities);
    EXPECT_EQ(several.repeated, one.repeated);
    EXPECT_EQ(several.recall, one.recall);
  }
  at::set_num_threads(1);
}

// 3,000 rows, each compared with 200: what is found is true, most is found, and the recall says how
// much. With one list, that is those about as far from the one centre.
TEST(NeighboursTest, TheRecallIsTheShareThatWasFound) {
  const auto rows = TestRows(3000, 12, 30, 0.5, 2);
  const auto table = TestTable("recall", rows);
  NeighbourOptions options;
  options.k = 5;
  options.compared = 200;
  const std::vector<double> expected = BruteForce(rows, 5);
  std::vector<double> recalls;
  for (const int64_t lists : {1, 40}) {
    const Neighbours found = Find(table, lists, options);
    int64_t right = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_LE(found.similarities[i], expected[i] + 1e-5);
      right += found.similarities[i] > expected[i / 5 * 5 + 4] - 1e-5;
    }
    const double share = right / static_cast<double>(expected.size());
    EXPECT_NEAR(found.recall, share, 0.03) << lists << " lists";  // of 1,000 rows
    recalls.push_back(share);
  }
  EXPECT_LT(recalls[0], 0.85);
  EXPECT_GT(recalls[1], 0.9);
  EXPECT_LT(recalls[1], 1);
}

TEST(NeighboursTest, FewRowsHaveAllOthers) {
  const auto table = TestTable("two", {{1, 0}, {1, 1}});
  const Neighbours found = Find(table, 1, {});
  EXPECT_EQ(found.k, 1);
  EXPECT_NEAR(found.similarities[0], std::sqrt(0.5), 1e-6);
  EXPECT_EQ(Find(TestTable("alone", {{1, 0}}), 1, {}).k, 0);
}

TEST(NeighboursTest, OfNearDuplicatesOneStays) {
  std::vector<std::vector<float>> rows = TestRows(300, 12, 300, 1.0, 3);
  for (int i = 0; i < 40; ++i) {  // one four times
    rows[100 + i] = rows[i % 10];
    rows[100 + i][0] += 0.001f * static_cast<float>(i);
  }
  const auto table = TestTable("duplicates", rows);
  NeighbourOptions options;
  options.duplicates = 0.99;
  for (const int64_t k : {0, 20}) {
    options.k = k;
    const Neighbours found = Find(table, 12, options);
    for (int i = 0; i < 10; ++i) {
      int stay = !found.repeated[i];
      for (int copy = 100 + i; copy < 140; copy += 10) stay += !found.repeated[copy];
      EXPECT_EQ(stay, 1) << "of " << i;
    }
    EXPECT_EQ(std::count(found.repeated.begin(), found.repeated.end(), true), 40);
  }
  options.duplicates = 1;
  const Neighbours all = Find(table, 12, options);
  EXPECT_EQ(std::count(all.repeated.begin(), all.repeated.end(), true), 0);
}

TEST(NeighboursTest, ALabelledOneStaysInsteadOfThoseLikeIt) {
  std::vector<std::vector<float>> rows = TestRows(50, 12, 50, 1.0, 4);
  rows[3] = rows[17] = rows[40];
  rows[5] = rows[6];
  NeighbourOptions options;
  options.duplicates = 0.99;
  std::vector<bool> labelled(50, false);
  labelled[17] = labelled[5] = labelled[6] = true;  // two alike that have labels stay both
  const Neighbours found = Find(TestTable("labelled", rows), 5, options, labelled);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(found.repeated[i], i == 3 || i == 40) << i;
}

// 1 - 2 - 3 in a row, 1 and 3 are not alike: the middle one goes, or both others do; never all.
TEST(NeighboursTest, WhatGoesHasOneLikeItThatStays) {
  std::vector<std::vector<float>> rows;
  for (int i = 0; i < 60; ++i) {
    const double angle = 0.1 * i;  // cosine of neighbours 0.995, of the next 0.98
    rows.push_back({static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))});
  }
  NeighbourOptions options;
  options.duplicates = 0.99;
  const Neighbours found = Find(TestTable("chain", rows), 4, options);
  for (int i = 0; i < 60; ++i) {
    bool like_one = false;
    for (int j = 0; j < 60; ++j) {
      like_one |= j != i && !found.repeated[j] && Cosine(rows[i], rows[j]) > 0.99;
    }
    EXPECT_EQ(found.repeated[i], like_one) << i;
  }
}

}  // namespace
}  // namespace selection
