// Clusters of features.
#ifndef TOOLS_SELECTION_CLUSTERS_H_
#define TOOLS_SELECTION_CLUSTERS_H_

#include <cstdint>
#include <vector>

namespace selection {

struct Clusters {
  int64_t k = 0;
  std::vector<float> centres;     // k x dim, of unit length
  std::vector<int> of;            // N: the cluster of each row, 0 to k - 1
  std::vector<float> similarity;  // N: cosine between each row and its cluster's centre
};

// Groups `rows` by cluster. Within a cluster the rows are ordered from the centre outwards; of two
// at the same distance the smaller row comes first.
std::vector<std::vector<int64_t>> ByCluster(const Clusters& clusters,
                                            const std::vector<int64_t>& rows);

// A usual number of clusters for N rows: the square root of N / 2, at least 1 (Mardia, Kent and
// Bibby, "Multivariate analysis", 1979).
int64_t ClustersFor(int64_t size);

}  // namespace selection

#endif  // TOOLS_SELECTION_CLUSTERS_H_
