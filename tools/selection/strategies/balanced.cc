// Equal shares of all clusters, within a cluster of centre and edge, and within these of low and
// high energy; at random within each stratum. robml/Deep-Learning-SSL-MoCo-SP21, an adaptation of
// MoCo, chose its images for labelling in this way. Its report names the strata, but not where they
// divide; here the centre is the half of a cluster's images that is nearest to its mean, and low
// energy is the lower half of centre and edge. No stratum of a cluster of four images or more is
// empty, so that a share falls short only if a whole cluster is small.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tools/selection/strategy.h"

namespace selection {
namespace {

struct BalancedOptions {
  template <class Visitor>
  void Visit(Visitor&) {}
};

constexpr int kParts = 4;
constexpr const char* kPartNames[kParts] = {"centre, low energy", "centre, high energy",
                                            "edge, low energy", "edge, high energy"};

class Balanced : public Strategy {
 public:
  Needs needs(int64_t images, int64_t, int64_t budget) const override {
    Needs needs;
    // So many that each stratum has a quota of at least one image.
    needs.clusters = std::clamp<int64_t>(ClustersFor(images), 1, std::max<int64_t>(1, budget / 4));
    needs.energy = true;
    return needs;
  }

  Choice Choose(const Pool& pool, int64_t budget, base::Rng& rng) const override {
    const std::vector<std::vector<int64_t>> clusters = ByCluster(pool.clusters, pool.candidates);
    std::vector<int64_t> room;
    for (const auto& members : clusters) room.push_back(members.size());
    const std::vector<int64_t> order = rng.Permutation(clusters.size());
    const std::vector<int64_t> quotas = ShareOut(budget, order);
    const std::vector<int64_t> shares = ShareOut(budget, room, order);

    Choice choice;
    int64_t short_clusters = 0, short_strata = 0, moved = 0, moved_within = 0;
    for (int64_t c = 0; c < pool.clusters.k; ++c) {
      if (shares[c] < quotas[c]) {
        ++short_clusters;
        moved += quotas[c] - shares[c];
      }
      std::vector<std::vector<int64_t>> parts = Parts(clusters[c], pool.energies);
      std::vector<int64_t> part_room;
      for (const auto& part : parts) part_room.push_back(part.size());
      const std::vector<int64_t> part_order = rng.Permutation(kParts);
      const std::vector<int64_t> part_quotas = ShareOut(quotas[c], part_order);
      const std::vector<int64_t> wanted = ShareOut(shares[c], part_order);
      const std::vector<int64_t> part_shares = ShareOut(shares[c], part_room, part_order);
      for (int p = 0; p < kParts; ++p) {
        if (part_shares[p] < wanted[p]) {
          ++short_strata;
          moved_within += wanted[p] - part_shares[p];
        }
        Stratum stratum{absl::StrCat("cluster ", c, ", ", kPartNames[p]), static_cast<int>(c)};
        stratum.candidates = part_room[p];
        stratum.quota = part_quotas[p];
        const std::vector<int64_t> drawn = rng.Permutation(part_room[p]);
        for (int64_t i = 0; i < part_shares[p]; ++i) stratum.chosen.push_back(parts[p][drawn[i]]);
        choice.strata.push_back(std::move(stratum));
      }
    }
    if (moved > 0) {
      choice.notes.push_back(absl::StrCat(short_clusters, " of ", pool.clusters.k,
                                          " clusters have fewer images than their share; ", moved,
                                          " come from other clusters instead, in equal shares"));
    }
    if (moved_within > 0) {
      choice.notes.push_back(
          absl::StrCat(short_strata, " strata have fewer images than their share; ", moved_within,
                       " come from other strata of the same cluster instead"));
    }
    return choice;
  }

 private:
  // Divides a cluster's rows, ordered from its centre outwards, into strata.
  static std::vector<std::vector<int64_t>> Parts(const std::vector<int64_t>& members,
                                                 const std::vector<float>& energies) {
    const auto middle = members.begin() + (members.size() + 1) / 2;
    std::vector<std::vector<int64_t>> parts;
    for (std::vector<int64_t> half : {std::vector<int64_t>(members.begin(), middle),
                                      std::vector<int64_t>(middle, members.end())}) {
      std::sort(half.begin(), half.end(), [&](int64_t a, int64_t b) {
        return energies[a] != energies[b] ? energies[a] < energies[b] : a < b;
      });
      const auto cut = half.begin() + (half.size() + 1) / 2;
      parts.emplace_back(half.begin(), cut);
      parts.emplace_back(cut, half.end());
    }
    return parts;
  }
};

absl::StatusOr<std::unique_ptr<Strategy>> MakeBalanced(const BalancedOptions&) {
  return std::make_unique<Balanced>();
}

REGISTER_PLUGIN(
    Strategies, "balanced",
    "equal shares of all clusters, and within each of centre and edge, low and high energy",
    BalancedOptions, MakeBalanced);

}  // namespace
}  // namespace selection
