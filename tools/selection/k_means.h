// Spherical k-means: clusters of directions (Dhillon and Modha, "Concept decompositions for large
// sparse text data using clustering", Machine Learning 42, 2001), by FAISS.
#ifndef TOOLS_SELECTION_K_MEANS_H_
#define TOOLS_SELECTION_K_MEANS_H_

#include <cstdint>
#include <functional>

#include "tools/selection/clusters.h"
#include "tools/selection/rows.h"

namespace selection {

// k: 1 to rows.size(). Runs twenty rounds over at most 256 rows per cluster, drawn at random; then
// each row is assigned to the nearest centre. No cluster is empty: if one would be, the largest
// cluster is split, and the half that is farthest from its centre fills the empty one. The result
// depends only on the rows, k, the seed, the CPU type and the number of threads; the latter two
// matter because k-means amplifies rounding.
// `progress`, if any, is called with the share that is done.
Clusters SphericalKMeans(const Rows& rows, int64_t k, uint64_t seed,
                         const std::function<void(double)>& progress = nullptr);

namespace internal {

// Splits clusters until none is empty.
void FillEmpty(const Rows& rows, Clusters& clusters);

}  // namespace internal

}  // namespace selection

#endif  // TOOLS_SELECTION_K_MEANS_H_
