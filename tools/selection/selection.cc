#include "tools/selection/selection.h"

#include <cstddef>

namespace selection {

std::vector<int64_t> InOrder(const Selection& selection) {
  std::vector<int64_t> order;
  bool more = true;
  for (size_t turn = 0; more; ++turn) {
    more = false;
    for (const Stratum& stratum : selection.strata) {
      if (turn >= stratum.chosen.size()) continue;
      order.push_back(stratum.chosen[turn]);
      more = true;
    }
  }
  return order;
}

}  // namespace selection
