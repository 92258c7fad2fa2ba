// Trains the linear probes of a grid (linear_sweep.h) from the first epoch to the last, and finds
// the best epoch of each.
#ifndef MOCO_MEASURES_PROBE_GRID_H_
#define MOCO_MEASURES_PROBE_GRID_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "moco/measures/linear_sweep.h"

namespace moco {

// The result of one probe of the grid. Metrics are those of the validation images.
struct ProbeResult {
  size_t features = 0;  // index into SweepData::features
  SweepOptions::Probe probe = {};
  ProbeMetrics last = {}, best = {};  // in the last epoch, and in the best one by acc1
  int64_t best_epoch = -1;            // from 0; the earliest of several
  int64_t diverged = -1;          // the epoch, from 0, in which its loss was not finite; -1: none
  LinearSweep::State state = {};  // in the best epoch; empty unless it is to be kept
  Predictions predictions = {};   // in the best epoch, for the validation images

  bool has_state() const { return !state.parameters.empty(); }
};

struct GridOptions {
  SweepOptions sweep;
  int64_t epochs = 100;
  int64_t keep_state_of = -1;  // index of the features whose probes keep their best state; -1: none
  std::function<void(const ProbeResult&)> on_divergence = [](const ProbeResult&) {};
  // Called after each epoch with all probes and the best one so far.
  std::function<void(int64_t epochs_done, const std::vector<ProbeResult>& all,
                     const ProbeResult& best)>
      on_epoch = [](int64_t, const std::vector<ProbeResult>&, const ProbeResult&) {};
};

// Trains all probes and validates them after each epoch. Aborted if no probe's loss is finite.
absl::StatusOr<std::vector<ProbeResult>> TrainGrid(const GridOptions& options,
                                                   const SweepData& train,
                                                   const SweepData& validation);

// Returns the most accurate probe that has not diverged (of several, the first), or null if all
// have. With `kept`, considers only probes with a state.
const ProbeResult* BestProbe(const std::vector<ProbeResult>& results, bool kept = false);

// The heading of EpochCsv.
inline constexpr char kEpochCsvHeading[] = "features,lr,weight_decay,epoch,acc1,acc5,loss\n";

// Returns a line for each probe that has not diverged, with its metrics in the last epoch, which is
// the `epoch`-th, from 1.
std::string EpochCsv(const std::vector<ProbeResult>& results, int64_t epoch,
                     const std::vector<std::string>& names);

// Returns a table with a heading and one line per probe; `names` are those of the features. Epochs
// count from 1. A diverged probe has only the epoch in which it diverged.
std::string GridCsv(const std::vector<ProbeResult>& results, const std::vector<std::string>& names);

}  // namespace moco

#endif  // MOCO_MEASURES_PROBE_GRID_H_
