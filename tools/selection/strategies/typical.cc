// The most typical images of the clusters that have no labels yet: TypiClust of Hacohen, Dekel and
// Weinshall, "Active learning on a budget: opposite strategies suit high and low budgets" (ICML
// 2022, section 3). There are as many clusters as there will be labels, at most 500. Clusters with
// the fewest labels come first, and of these the largest first. Each in turn provides its image of
// the highest typicality, the inverse mean distance to the 20 nearest neighbours (their equation
// 4). As in their code, clusters of fewer than five images wait until the others have no images
// left.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "tools/selection/strategy.h"

namespace selection {
namespace {

constexpr int64_t kSmallest = 5;  // images of a cluster that does not wait

struct TypicalOptions {
  int64_t max_clusters = 500;
  int64_t neighbours = 20;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("max_clusters", max_clusters,
      "largest number of clusters; there are as many as labels, up to this",
      registry::Between(1, 1e6));
    v("neighbours", neighbours, "neighbours to which the mean distance is taken",
      registry::Between(1, 1000));
  }
};

class Typical : public Strategy {
 public:
  explicit Typical(const TypicalOptions& options) : options_(options) {}

  Needs needs(int64_t images, int64_t labelled, int64_t budget) const override {
    Needs needs;
    needs.clusters = std::min({options_.max_clusters, labelled + budget, images - labelled});
    needs.neighbours = options_.neighbours;
    return needs;
  }

  Choice Choose(const Pool& pool, int64_t budget, base::Rng&) const override {
    std::vector<std::vector<int64_t>> clusters = ByCluster(pool.clusters, pool.candidates);
    std::vector<int64_t> labels(clusters.size(), 0), room;
    for (const int64_t row : pool.labelled) ++labels[pool.clusters.of[row]];
    for (const auto& members : clusters) room.push_back(members.size());
    std::vector<int64_t> order(clusters.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      const bool small_a = room[a] < kSmallest, small_b = room[b] < kSmallest;
      if (small_a != small_b) return small_b;
      return labels[a] != labels[b] ? labels[a] < labels[b] : room[a] > room[b];
    });

    // What the clusters that do not wait can provide, and then the others.
    std::vector<int64_t> large_room = room, small_room = room;
    for (size_t c = 0; c < room.size(); ++c) {
      (room[c] < kSmallest ? large_room : small_room)[c] = 0;
    }
    const int64_t of_large =
        std::min(budget, std::accumulate(large_room.begin(), large_room.end(), int64_t{0}));
    const std::vector<int64_t> of_each_large = ShareOut(of_large, large_room, order);
    const std::vector<int64_t> of_each_small = ShareOut(budget - of_large, small_room, order);
    const std::vector<int64_t> quotas = ShareOut(budget, order);

    Choice choice;
    int64_t short_clusters = 0, moved = 0;
    for (const int64_t c : order) {
      Stratum stratum{absl::StrCat("cluster ", c), static_cast<int>(c)};
      stratum.candidates = room[c];
      stratum.quota = quotas[c];
      std::vector<int64_t>& members = clusters[c];
      std::sort(members.begin(), members.end(), [&](int64_t a, int64_t b) {
        const double far_a = MeanDistance(pool.neighbours, a);
        const double far_b = MeanDistance(pool.neighbours, b);
        return far_a != far_b ? far_a < far_b : a < b;
      });
      stratum.chosen.assign(members.begin(), members.begin() + of_each_large[c] + of_each_small[c]);
      const int64_t lacking = stratum.quota - static_cast<int64_t>(stratum.chosen.size());
      if (lacking > 0) {
        ++short_clusters;
        moved += lacking;
      }
      choice.strata.push_back(std::move(stratum));
    }
    if (moved > 0) {
      choice.notes.push_back(absl::StrCat(short_clusters, " of ", pool.clusters.k,
                                          " clusters have fewer images than their share, or ",
                                          "fewer than ", kSmallest, "; ", moved,
                                          " come from other clusters instead"));
    }
    return choice;
  }

 private:
  // To the nearest neighbours, of unit vectors.
  double MeanDistance(const Neighbours& found, int64_t row) const {
    const int64_t k = std::min(options_.neighbours, found.k);
    double sum = 0;
    for (int64_t i = 0; i < k; ++i) {
      sum += std::sqrt(std::max(0.0, 2.0 - 2.0 * found.similarities[row * found.k + i]));
    }
    return k == 0 ? 0 : sum / k;
  }

  const TypicalOptions options_;
};

absl::StatusOr<std::unique_ptr<Strategy>> MakeTypical(const TypicalOptions& options) {
  return std::make_unique<Typical>(options);
}

REGISTER_PLUGIN(Strategies, "typical", "the most typical image of each cluster (TypiClust)",
                TypicalOptions, MakeTypical);

}  // namespace
}  // namespace selection
