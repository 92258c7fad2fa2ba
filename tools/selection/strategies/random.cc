// Every image is equally likely. Other strategies are compared with this one.
#include "tools/selection/strategy.h"

namespace selection {
namespace {

struct RandomOptions {
  template <class Visitor>
  void Visit(Visitor&) {}
};

class Random : public Strategy {
 public:
  Needs needs(int64_t, int64_t, int64_t) const override { return {}; }

  Choice Choose(const Pool& pool, int64_t budget, base::Rng& rng) const override {
    Stratum all{"all"};
    all.candidates = pool.candidates.size();
    all.quota = budget;
    const std::vector<int64_t> order = rng.Permutation(all.candidates);
    for (int64_t i = 0; i < budget; ++i) all.chosen.push_back(pool.candidates[order[i]]);
    return {{all}, {}};
  }
};

absl::StatusOr<std::unique_ptr<Strategy>> MakeRandom(const RandomOptions&) {
  return std::make_unique<Random>();
}

REGISTER_PLUGIN(Strategies, "random", "at random from all images", RandomOptions, MakeRandom);

}  // namespace
}  // namespace selection
