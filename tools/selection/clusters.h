// Spherical k-means: clusters of directions (Dhillon and Modha, "Concept decompositions for large
// sparse text data using clustering", Machine Learning 42, 2001), by FAISS.
#ifndef TOOLS_SELECTION_CLUSTERS_H_
#define TOOLS_SELECTION_CLUSTERS_H_

#include <cstdint>
#include <vector>

#include "tools/selection/rows.h"

namespace tools {

struct Clusters {
  int64_t k = 0;
  std::vector<float> centres;     // k x dim, of unit length
  std::vector<int> of;            // N: the cluster of each row, 0 to k - 1
  std::vector<float> similarity;  // N: cosine of each row and its cluster's centre
};

// k: 1 to rows.size(). Twenty rounds over at most 256 rows a cluster, drawn at random; then each
// row goes to the centre that is nearest. No cluster is empty: where one would be, the largest is
// split, and gives it the half that is farthest from its centre. A function of the rows, k and the
// seed (and, in its last bits, of the CPU type and the number of threads).
Clusters SphericalKMeans(const Rows& rows, int64_t k, uint64_t seed);

// Of these rows, those of each cluster, from the centre outwards; of two at one distance the
// smaller row first.
std::vector<std::vector<int64_t>> ByCluster(const Clusters& clusters,
                                            const std::vector<int64_t>& rows);

// About as many clusters as suit N rows: the square root of N / 2, at least 1 (Mardia, Kent and
// Bibby, "Multivariate analysis", 1979).
int64_t ClustersFor(int64_t size);

namespace internal {

// Splits clusters until none is empty.
void FillEmpty(const Rows& rows, Clusters& clusters);

}  // namespace internal

}  // namespace tools

#endif  // TOOLS_SELECTION_CLUSTERS_H_
