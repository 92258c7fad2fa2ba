#include "tools/selection/clusters.h"

#include <algorithm>
#include <cmath>

namespace selection {

std::vector<std::vector<int64_t>> ByCluster(const Clusters& clusters,
                                            const std::vector<int64_t>& rows) {
  std::vector<std::vector<int64_t>> members(clusters.k);
  for (const int64_t row : rows) members[clusters.of[row]].push_back(row);
  for (std::vector<int64_t>& of_one : members) {
    std::sort(of_one.begin(), of_one.end(), [&](int64_t a, int64_t b) {
      const float near_a = clusters.similarity[a], near_b = clusters.similarity[b];
      return near_a != near_b ? near_a > near_b : a < b;
    });
  }
  return members;
}

int64_t ClustersFor(int64_t size) {
  return std::max<int64_t>(1, std::llround(std::sqrt(size / 2.0)));
}

}  // namespace selection
