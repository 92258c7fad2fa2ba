#include "tools/selection/k_means.h"

#include <faiss/Clustering.h>
#include <faiss/IndexFlat.h>
#include <faiss/impl/AuxIndexStructures.h>
#include <glog/logging.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <numeric>
#include <utility>

#include "base/rng.h"
#include "tools/selection/draws.h"

namespace selection {
namespace {

constexpr int kRounds = 20;
constexpr int kPointsPerCluster = 256;

// Reports the rounds that are done: FAISS asks between blocks of rows whether it should go on.
class RoundsDone : public faiss::InterruptCallback {
 public:
  RoundsDone(const faiss::Clustering& kmeans, std::function<void(size_t)> report)
      : kmeans_(kmeans), report_(std::move(report)) {}

  bool want_interrupt() override {
    report_(kmeans_.iteration_stats.size());
    return false;
  }

 private:
  const faiss::Clustering& kmeans_;
  const std::function<void(size_t)> report_;
};

// Sets the centre of cluster c to the normalised mean of the rows, and their similarities to it.
void Recentre(const Rows& rows, const std::vector<int64_t>& members, int64_t c,
              Clusters& clusters) {
  const int64_t dim = rows.dim();
  std::vector<float> points(members.size() * dim);
  rows.Gather(members, points.data());
  std::vector<double> sum(dim, 0);
  for (size_t i = 0; i < members.size(); ++i) {
    for (int64_t d = 0; d < dim; ++d) sum[d] += points[i * dim + d];
  }
  const double length = std::sqrt(std::inner_product(sum.begin(), sum.end(), sum.begin(), 0.0));
  float* centre = clusters.centres.data() + c * dim;
  for (int64_t d = 0; d < dim; ++d) centre[d] = length > 0 ? sum[d] / length : 0;
  for (size_t i = 0; i < members.size(); ++i) {
    clusters.of[members[i]] = static_cast<int>(c);
    clusters.similarity[members[i]] =
        std::inner_product(centre, centre + dim, points.data() + i * dim, 0.0f);
  }
}

}  // namespace

Clusters SphericalKMeans(const Rows& rows, int64_t k, uint64_t seed,
                         const std::function<void(double)>& progress) {
  CHECK(k >= 1 && k <= rows.size()) << k << " clusters of " << rows.size() << " rows";
  const int64_t dim = rows.dim();
  base::Rng rng = DrawsFor(seed, Draw::kClusters);

  std::vector<int64_t> sample = rng.Permutation(rows.size());
  sample.resize(std::min(rows.size(), kPointsPerCluster * k));
  std::sort(sample.begin(), sample.end());
  std::vector<float> points(sample.size() * dim);
  rows.Gather(sample, points.data());

  faiss::ClusteringParameters parameters;
  parameters.niter = kRounds;
  parameters.spherical = true;
  parameters.min_points_per_centroid = 1;  // else it warns
  parameters.max_points_per_centroid = kPointsPerCluster;
  parameters.seed = static_cast<int>(rng.NextBits() >> 1);
  faiss::Clustering kmeans(dim, k, parameters);
  faiss::IndexFlatIP index(dim);  // the centres, once training is done
  // Both parts compare rows with all centres.
  const double work = 1.0 * kRounds * sample.size() + rows.size();
  if (progress) {
    faiss::InterruptCallback::instance = std::make_unique<RoundsDone>(kmeans, [&](size_t rounds) {
      progress(static_cast<double>(rounds) * sample.size() / work);
    });
  }
  kmeans.train(sample.size(), points.data(), index);
  faiss::InterruptCallback::clear_instance();

  Clusters clusters;
  clusters.k = k;
  clusters.centres = std::move(kmeans.centroids);
  clusters.similarity.resize(rows.size());
  points.resize(Rows::kBlock * dim);
  std::vector<int64_t> nearest(Rows::kBlock);
  for (int64_t from = 0; from < rows.size(); from += Rows::kBlock) {
    const int64_t count = std::min(Rows::kBlock, rows.size() - from);
    rows.Read(from, count, points.data());
    index.search(count, points.data(), 1, clusters.similarity.data() + from, nearest.data());
    clusters.of.insert(clusters.of.end(), nearest.begin(), nearest.begin() + count);
    if (progress) progress(1 - static_cast<double>(rows.size() - from - count) / work);
  }
  internal::FillEmpty(rows, clusters);
  return clusters;
}

namespace internal {

void FillEmpty(const Rows& rows, Clusters& clusters) {
  std::vector<int64_t> all(rows.size());
  std::iota(all.begin(), all.end(), 0);
  std::vector<std::vector<int64_t>> members = ByCluster(clusters, all);
  for (int64_t empty = 0; empty < clusters.k; ++empty) {
    if (!members[empty].empty()) continue;
    const auto largest =
        std::max_element(members.begin(), members.end(),
                         [](const auto& a, const auto& b) { return a.size() < b.size(); });
    const auto middle = largest->begin() + (largest->size() + 1) / 2;
    members[empty].assign(middle, largest->end());
    largest->erase(middle, largest->end());
    for (const int64_t c : {empty, static_cast<int64_t>(largest - members.begin())}) {
      Recentre(rows, members[c], c, clusters);
      members[c] = ByCluster(clusters, members[c])[c];
    }
  }
}

}  // namespace internal

}  // namespace selection
