#include "tools/selection/select.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/selection/clusters.h"
#include "tools/selection/draws.h"
#include "tools/selection/energy.h"
#include "tools/selection/k_means.h"
#include "tools/selection/neighbours.h"
#include "tools/selection/rows.h"
#include "tools/selection/strategy.h"

namespace selection {
namespace {

constexpr char kDefaultEnergy[] = "density";

absl::Status CheckBudget(int64_t budget, int64_t candidates, const Selection& so_far) {
  if (budget <= candidates) return absl::OkStatus();
  std::string why;
  if (so_far.excluded > 0)
    absl::StrAppend(&why, so_far.excluded, " have a label or are waiting for one");
  if (so_far.near_duplicates > 0) {
    absl::StrAppend(&why, why.empty() ? "" : ", ", so_far.near_duplicates,
                    " are near duplicates, which --duplicates=1 would keep");
  }
  return absl::InvalidArgumentError(absl::StrCat("--budget is ", budget, ", but of ", so_far.images,
                                                 " images only ", candidates, " can be chosen",
                                                 why.empty() ? "" : absl::StrCat(" (", why, ")")));
}

std::vector<int64_t> RowsWhere(const std::vector<bool>& has, bool wanted) {
  std::vector<int64_t> rows;
  for (size_t row = 0; row < has.size(); ++row) {
    if (has[row] == wanted) rows.push_back(row);
  }
  return rows;
}

}  // namespace

absl::StatusOr<Selection> Select(const lincls::FeatureTable& table,
                                 const std::vector<bool>& labelled, const SelectOptions& options,
                                 const std::function<void(const std::string&)>& progress) {
  // Everything that can be checked before the first row is read.
  const auto strategy = Strategies().Create(options.strategy);
  if (!strategy.ok()) return strategy.status();
  std::vector<int64_t> candidates = RowsWhere(labelled, false);
  const std::vector<int64_t> labelled_rows = RowsWhere(labelled, true);
  Selection selection;
  selection.strategy = *Strategies().Canonical(options.strategy);
  selection.seed = options.seed;
  selection.images = table.size();
  selection.excluded = labelled_rows.size();
  selection.duplicates = options.duplicates;
  absl::Status status = CheckBudget(options.budget, candidates.size(), selection);
  if (!status.ok()) return status;
  Strategy::Needs needs = (*strategy)->needs(selection.images, selection.excluded, options.budget);
  std::unique_ptr<Energy> energy;
  if (needs.energy || !options.energy.empty()) {
    const std::string spec = options.energy.empty() ? kDefaultEnergy : options.energy;
    auto made = Energies().Create(spec, table);
    if (!made.ok()) return made.status();
    energy = *std::move(made);
    selection.energy = *Energies().Canonical(spec);
    needs.neighbours = std::max(needs.neighbours, energy->neighbours());
  }
  if (options.clusters > static_cast<int64_t>(candidates.size())) {
    return absl::InvalidArgumentError(absl::StrCat("--clusters is ", options.clusters,
                                                   ", more than the ", candidates.size(),
                                                   " images that can be chosen"));
  }
  if (needs.clusters > 0 && options.clusters > 0) needs.clusters = options.clusters;

  const auto share_of = [&](const std::string& what) {
    return [&progress, what](double share) {
      progress(absl::StrFormat("%s: %.0f %%", what, 100 * share));
    };
  };
  progress("features");
  const auto rows = Rows::Open(table);
  if (!rows.ok()) return rows.status();
  Pool pool{.rows = *rows, .labelled = labelled_rows};
  if (needs.clusters > 0) {
    pool.clusters = SphericalKMeans(*rows, needs.clusters, options.seed,
                                    share_of(absl::StrCat(needs.clusters, " clusters")));
    selection.clusters_made = needs.clusters;
    selection.clusters = pool.clusters.of;
  }
  if (needs.neighbours > 0 || options.duplicates < 1) {
    const int64_t lists = ClustersFor(rows->size());
    NeighbourOptions wanted;
    wanted.k = needs.neighbours;
    wanted.duplicates = options.duplicates;
    wanted.seed = options.seed;
    pool.neighbours = FindApproximateNeighbours(
        *rows,
        lists == pool.clusters.k
            ? pool.clusters
            : SphericalKMeans(*rows, lists, options.seed, share_of("lists of neighbours")),
        labelled, wanted, share_of("neighbours"));
    selection.neighbours = pool.neighbours.k;
    selection.recall = pool.neighbours.recall;
  }
  for (const int64_t row : candidates) {
    const bool repeated = !pool.neighbours.repeated.empty() && pool.neighbours.repeated[row];
    if (!repeated) pool.candidates.push_back(row);
  }
  selection.near_duplicates = candidates.size() - pool.candidates.size();
  status = CheckBudget(options.budget, pool.candidates.size(), selection);
  if (!status.ok()) return status;
  if (energy) {
    pool.energies = energy->Of(table, pool.neighbours);
    selection.energies = pool.energies;
  }

  progress(absl::StrCat("choosing ", options.budget));
  base::Rng rng = DrawsFor(options.seed, Draw::kStrategy);
  Strategy::Choice choice = (*strategy)->Choose(pool, options.budget, rng);
  selection.strata = std::move(choice.strata);
  selection.notes = std::move(choice.notes);
  for (const int64_t row : labelled_rows) {
    if (!selection.clusters.empty()) selection.clusters[row] = -1;
    if (!selection.energies.empty()) {
      selection.energies[row] = std::numeric_limits<float>::quiet_NaN();
    }
  }
  return selection;
}

}  // namespace selection
