#include "moco/measures/knn.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace moco {
namespace {

using Rows = std::vector<std::vector<float>>;

Rows RandomRows(int64_t n, int64_t d, uint64_t seed) {
  std::mt19937 bits(seed);
  std::normal_distribution<float> normal;
  Rows rows(n, std::vector<float>(d));
  for (auto& row : rows) {
    for (float& x : row) x = normal(bits);
  }
  return rows;
}

std::vector<int64_t> RandomLabels(int64_t n, int64_t classes, uint64_t seed) {
  std::mt19937 bits(seed);
  std::vector<int64_t> labels(n);
  for (int64_t& label : labels) label = bits() % classes;
  return labels;
}

at::Tensor ToTensor(const Rows& rows) {
  std::vector<float> flat;
  for (const auto& row : rows) flat.insert(flat.end(), row.begin(), row.end());
  return at::tensor(flat).view({static_cast<int64_t>(rows.size()), -1});
}

double Cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return ab / std::sqrt(aa * bb);
}

// The definition, one query at a time.
std::vector<int64_t> PlainPredict(const Rows& bank, const std::vector<int64_t>& labels,
                                  const Rows& queries, const KnnOptions& options) {
  std::vector<int64_t> predictions;
  for (const auto& query : queries) {
    std::vector<std::pair<double, int64_t>> neighbours;
    for (size_t i = 0; i < bank.size(); ++i) {
      neighbours.emplace_back(Cosine(bank[i], query), labels[i]);
    }
    std::sort(neighbours.rbegin(), neighbours.rend());
    neighbours.resize(std::min<size_t>(options.k, neighbours.size()));
    std::vector<double> votes(options.classes);
    for (const auto& [similarity, label] : neighbours) {
      votes[label] += std::exp(similarity / options.temperature);
    }
    predictions.push_back(std::max_element(votes.begin(), votes.end()) - votes.begin());
  }
  return predictions;
}

std::vector<int64_t> ToVector(const at::Tensor& t) {
  return {t.const_data_ptr<int64_t>(), t.const_data_ptr<int64_t>() + t.numel()};
}

class KnnTest : public ::testing::TestWithParam<KnnOptions> {};

TEST_P(KnnTest, PredictsAsAPlainLoop) {
  const Rows bank = RandomRows(300, 8, 1);
  const std::vector<int64_t> labels = RandomLabels(300, GetParam().classes, 2);
  const Rows queries = RandomRows(1100, 8, 3);  // more than one block
  EXPECT_EQ(ToVector(KnnPredict(ToTensor(bank), at::tensor(labels), ToTensor(queries), GetParam())),
            PlainPredict(bank, labels, queries, GetParam()));
}

INSTANTIATE_TEST_SUITE_P(
    Options, KnnTest,
    ::testing::Values(KnnOptions{.k = 1, .temperature = 0.1, .classes = 5},
                      KnnOptions{.k = 20, .temperature = 0.1, .classes = 5},
                      KnnOptions{.k = 20, .temperature = 1, .classes = 5},
                      KnnOptions{.k = 300, .temperature = 0.07, .classes = 3},
                      KnnOptions{.k = 5000, .temperature = 0.1, .classes = 5}));  // all vote

TEST(Knn, LengthOfFeaturesDoesNotMatter) {
  const at::Tensor bank = ToTensor(RandomRows(50, 4, 1));
  const at::Tensor labels = at::tensor(RandomLabels(50, 3, 2));
  const at::Tensor queries = ToTensor(RandomRows(20, 4, 3));
  const KnnOptions options{.k = 7, .temperature = 0.1, .classes = 3};
  EXPECT_TRUE(KnnPredict(bank, labels, queries, options)
                  .equal(KnnPredict(4 * bank, labels, queries / 8, options)));
}

TEST(Knn, AccuracyIsTheShareOfRightPredictions) {
  const at::Tensor bank = at::tensor({1.f, 0.f, 0.f, 1.f}).view({2, 2});
  const at::Tensor queries = at::tensor({2.f, 1.f, 1.f, 2.f, 3.f, 0.f, 0.f, 1.f}).view({4, 2});
  EXPECT_EQ(KnnAccuracy(bank, at::tensor({int64_t{0}, int64_t{1}}), queries,
                        at::tensor(std::vector<int64_t>{0, 1, 1, 1}),
                        {.k = 1, .temperature = 0.1, .classes = 2}),
            0.75);
}

// Votes weigh relative to the nearest, so that nothing overflows: with a small temperature the
// nearest one decides.
TEST(Knn, ATemperatureNearZeroIsTheNearestNeighbour) {
  const at::Tensor bank = ToTensor(RandomRows(200, 6, 1)), queries = ToTensor(RandomRows(50, 6, 2));
  const at::Tensor labels = at::tensor(RandomLabels(200, 4, 3));
  EXPECT_TRUE(KnnPredict(bank, labels, queries, {.k = 50, .temperature = 1e-6, .classes = 4})
                  .equal(KnnPredict(bank, labels, queries, {.k = 1, .classes = 4})));
}

struct Sizes {
  int64_t queries, k;
};

class NeighbourBlocks : public ::testing::TestWithParam<Sizes> {};

TEST_P(NeighbourBlocks, AsInOnePiece) {
  constexpr int64_t kBank = 9000;
  const at::Tensor bank = ToTensor(RandomRows(kBank, 3, 1)),
                   queries = ToTensor(RandomRows(GetParam().queries, 3, 2));
  const int64_t k = std::min<int64_t>(GetParam().k, kBank);
  const at::Tensor keys = (bank / bank.norm(2, 1, true)).t();
  int64_t next = 0;
  FindExactNeighbours(
      InMemory(bank), InMemory(queries), GetParam().k, false, [&](int64_t from, const auto& found) {
        ASSERT_EQ(from, next);
        const int64_t n = found.index.size(0);
        next += n;
        ASSERT_EQ(found.index.sizes(), at::IntArrayRef({n, k}));
        const at::Tensor some = queries.narrow(0, from, n);
        const at::Tensor cosines = (some / some.norm(2, 1, true)).matmul(keys);
        ASSERT_TRUE(found.similarity.allclose(std::get<0>(cosines.topk(k, 1)), 0, 1e-6));
        ASSERT_TRUE(found.similarity.allclose(cosines.gather(1, found.index), 0, 1e-6));
        const at::Tensor each = std::get<0>(found.index.sort(1));  // none of them twice
        ASSERT_TRUE((each.slice(1, 1) > each.slice(1, 0, k - 1)).all().template item<bool>());
      });
  EXPECT_EQ(next, GetParam().queries);
}

// More than a block of either, and so many neighbours that a block has fewer queries.
INSTANTIATE_TEST_SUITE_P(Sizes, NeighbourBlocks,
                         ::testing::Values(Sizes{2500, 1}, Sizes{2500, 7}, Sizes{1000, 9000},
                                           Sizes{3, 20000}));

TEST(FindExactNeighbours, OfEquallySimilarOnesTheFirst) {
  std::vector<std::vector<float>> rows(5000, {1, 1});
  rows[3] = {1, 0};
  FindExactNeighbours(InMemory(ToTensor(rows)), InMemory(ToTensor({{2, 2}})), 5, false,
                      [&](int64_t, const Neighbours& found) {
                        EXPECT_EQ(ToVector(found.index), (std::vector<int64_t>{0, 1, 2, 4, 5}));
                      });
}

// Each image is in the bank twice, so that it is easily known which one is left out.
TEST(FindExactNeighbours, LeavesOutTheQueryAlone) {
  const at::Tensor half = ToTensor(RandomRows(4500, 8, 1));
  const at::Tensor all = half.repeat({2, 1});
  std::vector<int64_t> nearest;
  FindExactNeighbours(InMemory(all), InMemory(all), 3, true, [&](int64_t, const Neighbours& found) {
    for (int64_t twin : ToVector(found.index.select(1, 0).contiguous())) nearest.push_back(twin);
  });
  for (int64_t i = 0; i < 9000; ++i) ASSERT_EQ(nearest[i], (i + 4500) % 9000) << i;
}

TEST(FindExactNeighbours, WhatIsNotFiniteIsLikeNothing) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  FindExactNeighbours(
      InMemory(ToTensor({{nan, 1}, {-1, 0}, {1, 0}, {0, 0}})), InMemory(ToTensor({{1, 0}})), 4,
      false, [&](int64_t, const Neighbours& found) {
        EXPECT_EQ(ToVector(found.index), (std::vector<int64_t>{2, 0, 3, 1}));
        EXPECT_TRUE(found.similarity.flatten().equal(at::tensor({1.f, 0.f, 0.f, -1.f})));
      });
}

// Without OpenMP at::parallel_for has one thread, and says nothing.
TEST(FeatureRows, AreReadByAsManyThreadsAsThereAre) {
  std::mutex mutex;
  std::set<std::thread::id> readers;
  FeatureRows rows = InMemory(at::zeros({4096, 2}));
  rows.read = [&](const int64_t*, int64_t, float*) {
    const std::lock_guard<std::mutex> lock(mutex);
    readers.insert(std::this_thread::get_id());
  };
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    readers.clear();
    rows.Rows(0, rows.size);
    EXPECT_EQ(readers.size(), threads);
  }
  at::set_num_threads(1);
}

TEST(FindExactNeighbours, AreTheSameWithAnyNumberOfThreads) {
  const FeatureRows bank = InMemory(ToTensor(RandomRows(9000, 16, 1))),
                    queries = InMemory(ToTensor(RandomRows(2100, 16, 2)));
  const at::Tensor labels = at::tensor(RandomLabels(9000, 10, 3)),
                   truth = at::tensor(RandomLabels(2100, 10, 4));
  const KnnGrid grid{.classes = 10, .k = {1, 20}, .temperature = {0.1}};
  std::vector<at::Tensor> similarity, index;
  std::vector<std::vector<std::vector<double>>> accuracies;
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    std::vector<at::Tensor> s, i;
    FindExactNeighbours(bank, queries, 20, false, [&](int64_t, const Neighbours& found) {
      s.push_back(found.similarity);
      i.push_back(found.index);
    });
    similarity.push_back(at::cat(s));
    index.push_back(at::cat(i));
    accuracies.push_back(KnnAccuracies({bank, labels}, {queries, truth}, grid, [](int64_t) {}));
  }
  at::set_num_threads(1);
  for (size_t t = 1; t < similarity.size(); ++t) {
    EXPECT_TRUE(similarity[t].equal(similarity[0]));
    EXPECT_TRUE(index[t].equal(index[0]));
    EXPECT_EQ(accuracies[t], accuracies[0]);
  }
}

TEST(KnnAccuracies, OfAGridAsEachOfItsOwn) {
  const at::Tensor bank = ToTensor(RandomRows(600, 4, 1)),
                   queries = ToTensor(RandomRows(2100, 4, 2));
  const at::Tensor labels = at::tensor(RandomLabels(600, 3, 3)),
                   truth = at::tensor(RandomLabels(2100, 3, 4));
  const KnnGrid grid{.classes = 3, .k = {1, 5, 200, 1000}, .temperature = {0.07, 1}};
  int64_t done = 0;
  const auto accuracies = KnnAccuracies({InMemory(bank), labels}, {InMemory(queries), truth}, grid,
                                        [&](int64_t n) { done = n; });
  EXPECT_EQ(done, 2100);
  for (size_t k = 0; k < 4; ++k) {
    for (size_t t = 0; t < 2; ++t) {
      EXPECT_EQ(accuracies[k][t],
                KnnAccuracy(bank, labels, queries, truth,
                            {.k = grid.k[k], .temperature = grid.temperature[t], .classes = 3}))
          << grid.k[k] << " " << grid.temperature[t];
    }
  }
}

TEST(KnnAccuracies, LeaveOneOutAsABankWithoutTheQuery) {
  const Rows rows = RandomRows(60, 4, 1);
  const std::vector<int64_t> labels = RandomLabels(60, 3, 2);
  int right = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    Rows others = rows;
    others.erase(others.begin() + i);
    std::vector<int64_t> theirs = labels;
    theirs.erase(theirs.begin() + i);
    right += PlainPredict(others, theirs, {rows[i]}, {.k = 7, .classes = 3})[0] == labels[i];
  }
  const LabelledRows all{InMemory(ToTensor(rows)), at::tensor(labels)};
  const KnnGrid grid{.classes = 3, .k = {7}, .temperature = {0.1}, .leave_one_out = true};
  EXPECT_DOUBLE_EQ(KnnAccuracies(all, all, grid, [](int64_t) {})[0][0], right / 60.0);
}

TEST(FeatureRows, SomeInAnotherOrder) {
  const at::Tensor all = at::arange(12, at::kDouble).view({4, 3});
  const FeatureRows rows = InMemory(all);
  EXPECT_TRUE(rows.Rows(1, 2).equal(all.narrow(0, 1, 2).to(at::kFloat)));
  const at::Tensor index = at::tensor(std::vector<int64_t>{3, 0, 3});
  EXPECT_TRUE(rows.Rows(index).equal(all.index_select(0, index).to(at::kFloat)));
  const FeatureRows some = Some(rows, index);
  EXPECT_EQ(some.size, 3);
  EXPECT_TRUE(some.Rows(1, 2).equal(all.index_select(0, index.narrow(0, 1, 2)).to(at::kFloat)));
  EXPECT_TRUE(InMemory(all.t()).Rows(0, 3).equal(all.t().to(at::kFloat)));
}

}  // namespace
}  // namespace moco
