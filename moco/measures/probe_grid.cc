#include "moco/measures/probe_grid.h"

#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "data/csv.h"
#include "registry/options.h"

namespace moco {
namespace {

// Adds the metrics of an epoch to the probe's result. Returns true if the epoch is its best so far.
bool Take(const ProbeMetrics& metrics, int64_t epoch, ProbeResult& result) {
  result.last = metrics;
  if (result.best_epoch >= 0 && metrics.acc1 <= result.best.acc1) return false;
  result.best = metrics;
  result.best_epoch = epoch;
  return true;
}

}  // namespace

absl::StatusOr<std::vector<ProbeResult>> TrainGrid(const GridOptions& options,
                                                   const SweepData& train,
                                                   const SweepData& validation) {
  LinearSweep sweep(options.sweep, train);
  const std::vector<SweepOptions::Probe>& grid = options.sweep.grid;
  std::vector<ProbeResult> results;
  for (int64_t p = 0; p < sweep.probes(); ++p) {
    results.push_back({p / grid.size(), grid[p % grid.size()]});
  }
  for (int64_t epoch = 0; epoch < options.epochs; ++epoch) {
    sweep.TrainEpoch();
    const std::vector<ProbeMetrics> metrics = sweep.Evaluate(validation);
    for (size_t p = 0; p < results.size(); ++p) {
      ProbeResult& result = results[p];
      if (result.diverged >= 0) continue;
      result.diverged = std::isfinite(metrics[p].loss) ? sweep.Diverged(p) : epoch;
      if (result.diverged >= 0) {
        result.state = {};
        result.predictions = {};
        options.on_divergence(result);
        continue;
      }
      const bool best = Take(metrics[p], epoch, result);
      if (best) result.predictions = sweep.Predict(p, validation);
      if (best && static_cast<int64_t>(result.features) == options.keep_state_of) {
        result.state = sweep.Copy(p);
      }
    }
    const ProbeResult* best = BestProbe(results);
    if (best == nullptr) {
      return absl::AbortedError("the loss of every probe is not finite; lower --lr");
    }
    options.on_epoch(epoch + 1, results, *best);
  }
  return results;
}

const ProbeResult* BestProbe(const std::vector<ProbeResult>& results, bool kept) {
  const ProbeResult* best = nullptr;
  for (const ProbeResult& r : results) {
    if (r.diverged >= 0 || (kept && !r.has_state())) continue;
    if (best == nullptr || r.best.acc1 > best->best.acc1) best = &r;
  }
  return best;
}

std::string EpochCsv(const std::vector<ProbeResult>& results, int64_t epoch,
                     const std::vector<std::string>& names) {
  std::string csv;
  for (const ProbeResult& r : results) {
    if (r.diverged >= 0) continue;
    absl::StrAppend(&csv, data::CsvField(names[r.features]), ",", registry::WriteValue(r.probe.lr),
                    ",", registry::WriteValue(r.probe.weight_decay), ",", epoch);
    for (const double number : {r.last.acc1, r.last.acc5, r.last.loss}) {
      absl::StrAppend(&csv, ",", registry::WriteValue(number));
    }
    csv += "\n";
  }
  return csv;
}

std::string GridCsv(const std::vector<ProbeResult>& results,
                    const std::vector<std::string>& names) {
  std::string csv =
      "features,lr,weight_decay,best_epoch,best_acc1,best_acc5,best_loss,last_acc1,last_acc5,"
      "last_loss,diverged_epoch\n";
  for (const ProbeResult& r : results) {
    absl::StrAppend(&csv, data::CsvField(names[r.features]), ",", registry::WriteValue(r.probe.lr),
                    ",", registry::WriteValue(r.probe.weight_decay), ",");
    if (r.diverged >= 0) {
      absl::StrAppend(&csv, ",,,,,,,", r.diverged + 1, "\n");
      continue;
    }
    absl::StrAppend(&csv, r.best_epoch + 1);
    for (const double number :
         {r.best.acc1, r.best.acc5, r.best.loss, r.last.acc1, r.last.acc5, r.last.loss}) {
      absl::StrAppend(&csv, ",", registry::WriteValue(number));
    }
    absl::StrAppend(&csv, ",\n");
  }
  return csv;
}

}  // namespace moco
