#include "lincls/knn.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>
#include <vector>

namespace lincls {
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

}  // namespace
}  // namespace lincls
