// What RankMe adds to the verdict on a run. This part needs no LibTorch, for the report of a run.
#ifndef MOCO_MEASURES_RANK_VERDICT_H_
#define MOCO_MEASURES_RANK_VERDICT_H_

#include <string>

namespace moco {

// The metric that is judged, since it is the only measure that agreed with linear probes
// (docs/recipes/choosing_a_run.md).
inline constexpr char kJudgedMetric[] = "rankme_backbone";

// Returns `verdict`, which is moco::Verdict's; or "collapsed: ..." with cause and remedy, where
// `verdict` is "learning", but RankMe of the backbone (`now`, at least 1) is less than half of what
// it was before training (`before`). The keys can differ, and the loss can fall, while the features
// collapse, as with too large a weight decay. Both numbers are of the same images and network, so
// that no absolute threshold is needed.
std::string VerdictWithRank(const std::string& verdict, double before, double now);

}  // namespace moco

#endif  // MOCO_MEASURES_RANK_VERDICT_H_
