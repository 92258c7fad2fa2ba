// The nearest neighbours of every row, and near duplicates, without comparing all pairs.
//
// The rows are divided into lists by cluster, as in an inverted file (Sivic and Zisserman, "Video
// Google", ICCV 2003). A row is compared with the rows of its own list and then with those of the
// lists whose centres are nearest, `compared` rows in all: the time grows with N, not with its
// square. Up to `compared` rows the result is exact.
#ifndef TOOLS_SELECTION_NEIGHBOURS_H_
#define TOOLS_SELECTION_NEIGHBOURS_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "tools/selection/clusters.h"
#include "tools/selection/rows.h"

namespace selection {

struct Neighbours {
  int64_t k = 0;  // neighbours per row; all other rows if there are fewer
  std::vector<float>
      similarities;  // N x k: cosines of each row and its nearest rows, largest first
  std::vector<bool>
      repeated;       // N: the row is a near duplicate of one that is labelled or can be chosen
  double recall = 1;  // share of the true k nearest rows that were found, on a sample
};

struct NeighbourOptions {
  int64_t k = 20;            // neighbours per row; less than `compared`
  double duplicates = 1;     // cosine above which two rows are near duplicates; 1: none are
  uint64_t seed = 0;         // of the sample on which the recall is measured
  int64_t compared = 32768;  // rows that each row is compared with, itself included; above k
};

// Of near duplicates one is kept: a labelled one if there is one, otherwise the one nearest to the
// centre of the first list that contains one. As far as rows are compared, no two kept rows have a
// cosine above `duplicates`. `labelled`: N; labelled rows are never `repeated`. `progress` is
// called with the share that is done.
Neighbours FindApproximateNeighbours(const Rows& rows, const Clusters& lists,
                                     const std::vector<bool>& labelled,
                                     const NeighbourOptions& options,
                                     const std::function<void(double)>& progress);

}  // namespace selection

#endif  // TOOLS_SELECTION_NEIGHBOURS_H_
