// What a run of pretraining reports: the names of its metrics, and the sums and the health of an
// epoch.
#ifndef MOCO_TRAINING_EPOCH_H_
#define MOCO_TRAINING_EPOCH_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/run_log.h"
#include "moco/health.h"
#include "moco/moco.h"
#include "moco/training/training_run.h"

namespace moco {

// The columns are the metrics of a step, of an epoch, and of the evaluations.
const RunKind& PretrainingKind();

// The rows of the table with which a run ends.
std::vector<base::RunLog::TableRow> PretrainingSummary();

// Sums over an epoch's steps so far.
struct EpochSums {
  double loss = 0, top1 = 0;
  Similarities similarities;
  int64_t steps = 0;

  void Add(const StepMetrics& metrics, int64_t step);
  // The sums, without the number of steps.
  std::vector<double*> Numbers();
};

// The means of an epoch and its health.
struct EpochResult {
  double loss = 0, top1 = 0;
  Health health;

  // What metrics.jsonl says of it, without step and epoch.
  nlohmann::json Metrics() const;
  // "loss 4.1234  pretext 12.3 %"
  std::string MeansText() const;
  // The line of its health, with a verdict: moco::Verdict's, or what the measures make of that.
  std::string HealthText(const std::string& verdict) const;
};

// The result of the epoch that ends after `done` steps of the run. `batch_size` is that of all
// ranks together.
EpochResult ResultOf(const EpochSums& sums, MoCo& moco, const MoCoOptions& options,
                     int64_t batch_size, int64_t done, int64_t steps_per_epoch);

}  // namespace moco

#endif  // MOCO_TRAINING_EPOCH_H_
