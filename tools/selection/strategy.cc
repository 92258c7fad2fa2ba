#include "tools/selection/strategy.h"

#include <glog/logging.h>

#include <algorithm>
#include <limits>

namespace selection {

StrategyRegistry& Strategies() {
  static StrategyRegistry& table = *new StrategyRegistry("strategy");
  return table;
}

std::vector<int64_t> ShareOut(int64_t total, const std::vector<int64_t>& room,
                              const std::vector<int64_t>& order) {
  std::vector<int64_t> shares(room.size(), 0);
  std::vector<int64_t> open = order;  // those with room left
  while (total > 0) {
    open.erase(
        std::remove_if(open.begin(), open.end(), [&](int64_t i) { return shares[i] == room[i]; }),
        open.end());
    CHECK(!open.empty()) << total << " more than there is room for";
    const int64_t each = std::max<int64_t>(1, total / static_cast<int64_t>(open.size()));
    for (const int64_t i : open) {
      const int64_t more = std::min({each, room[i] - shares[i], total});
      shares[i] += more;
      total -= more;
    }
  }
  return shares;
}

std::vector<int64_t> ShareOut(int64_t total, const std::vector<int64_t>& order) {
  return ShareOut(total, std::vector<int64_t>(order.size(), std::numeric_limits<int64_t>::max()),
                  order);
}

}  // namespace selection
