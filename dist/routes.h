// Where the rows of a batch go when the whole batch, spread over the ranks, is reordered.
#ifndef DIST_ROUTES_H_
#define DIST_ROUTES_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace dist {

// What one rank sends and receives. Row i of the whole batch is row i / size of rank i mod size.
struct Routes {
  std::vector<int64_t> send;           // own rows to send, in the order of their receivers
  std::vector<int64_t> send_count;     // number of rows for each rank
  std::vector<int64_t> receive_count;  // number of rows from each rank
  std::vector<int64_t> place;          // own new row i is row place[i] of those that arrive
};

// `order`: n x size indices, int64, a permutation: row i of the reordered batch is row order[i].
Routes FindRoutes(const at::Tensor& order, int64_t rank, int64_t size);

}  // namespace dist

#endif  // DIST_ROUTES_H_
