#include "moco/measures/rank_verdict.h"

#include "absl/strings/str_format.h"

namespace moco {

std::string VerdictWithRank(const std::string& verdict, double before, double now) {
  constexpr double kShare = 0.5;
  // Numbers that are not finite are no collapse.
  if (verdict != "learning" || !(now < kShare * before)) return verdict;
  return absl::StrFormat(
      "collapsed: the backbone's features use %.3g directions, %.3g before training (RankMe); "
      "lower --weight-decay or --lr",
      now, before);
}

}  // namespace moco
