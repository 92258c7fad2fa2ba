#include "dist/routes.h"

#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

namespace dist {
namespace {

// Sends rows, which are their own numbers in the whole batch, along the routes of all ranks.
std::vector<int64_t> Reordered(const std::vector<int64_t>& order, int64_t size) {
  const at::Tensor tensor = at::tensor(order);
  std::vector<std::vector<int64_t>> arrived(size);
  std::vector<Routes> routes;
  for (int64_t rank = 0; rank < size; ++rank) {
    routes.push_back(FindRoutes(tensor, rank, size));
    auto next = routes.back().send.begin();
    for (int64_t to = 0; to < size; ++to) {
      for (int64_t i = 0; i < routes.back().send_count[to]; ++i) {
        arrived[to].push_back(*next++ * size + rank);
      }
    }
    EXPECT_EQ(next, routes.back().send.end());
  }
  std::vector<int64_t> whole(order.size());
  for (int64_t rank = 0; rank < size; ++rank) {
    const Routes& own = routes[rank];
    for (int64_t from = 0; from < size; ++from) {
      EXPECT_EQ(own.receive_count[from], routes[from].send_count[rank]);
    }
    for (size_t i = 0; i < own.place.size(); ++i) {
      whole[i * size + rank] = arrived[rank].at(own.place[i]);
    }
  }
  return whole;
}

TEST(RoutesTest, EveryRowArrivesAtItsPlace) {
  std::mt19937 random(1);
  for (const int64_t size : {1, 2, 3, 5}) {
    for (const int64_t rows : {1, 4, 7}) {
      std::vector<int64_t> order(rows * size);
      std::iota(order.begin(), order.end(), 0);
      EXPECT_EQ(Reordered(order, size), order);
      std::shuffle(order.begin(), order.end(), random);
      EXPECT_EQ(Reordered(order, size), order);
    }
  }
}

TEST(RoutesTest, RowsMayAllComeFromAnotherRank) {
  const Routes routes = FindRoutes(at::tensor(std::vector<int64_t>{1, 0, 3, 2}), 0, 2);
  EXPECT_EQ(routes.send_count, (std::vector<int64_t>{0, 2}));
  EXPECT_EQ(routes.receive_count, (std::vector<int64_t>{0, 2}));
}

}  // namespace
}  // namespace dist
