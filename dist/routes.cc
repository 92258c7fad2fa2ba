#include "dist/routes.h"

namespace dist {

Routes FindRoutes(const at::Tensor& order, int64_t rank, int64_t size) {
  const at::Tensor contiguous = order.cpu().contiguous();
  const int64_t* source = contiguous.const_data_ptr<int64_t>();
  const int64_t rows = order.size(0) / size;
  Routes routes;
  routes.place.resize(rows);
  int64_t arrived = 0;
  for (int64_t other = 0; other < size; ++other) {
    int64_t sent = 0, received = 0;
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t to_other = source[i * size + other], to_own = source[i * size + rank];
      if (to_other % size == rank) {
        routes.send.push_back(to_other / size);
        ++sent;
      }
      if (to_own % size == other) {
        routes.place[i] = arrived++;
        ++received;
      }
    }
    routes.send_count.push_back(sent);
    routes.receive_count.push_back(received);
  }
  return routes;
}

}  // namespace dist
