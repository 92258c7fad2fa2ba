// Spherical k-means: clusters of directions (Dhillon and Modha, "Concept decompositions for large
// sparse text data using clustering", Machine Learning 42, 2001), by FAISS.
#ifndef TOOLS_SELECTION_K_MEANS_H_
#define TOOLS_SELECTION_K_MEANS_H_

#include <cstdint>

#include "tools/selection/clusters.h"
#include "tools/selection/rows.h"

namespace selection {

// k: 1 to rows.size(). Twenty rounds over at most 256 rows a cluster, drawn at random; then each
// row goes to the centre that is nearest. No cluster is empty: where one would be, the largest is
// split, and gives it the half that is farthest from its centre. A function of the rows, k and the
// seed, on one type of CPU with one number of threads: k-means makes other clusters of another last
// bit.
Clusters SphericalKMeans(const Rows& rows, int64_t k, uint64_t seed);

namespace internal {

// Splits clusters until none is empty.
void FillEmpty(const Rows& rows, Clusters& clusters);

}  // namespace internal

}  // namespace selection

#endif  // TOOLS_SELECTION_K_MEANS_H_
