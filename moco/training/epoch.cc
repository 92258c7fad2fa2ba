#include "moco/training/epoch.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "moco/losses/loss.h"
#include "moco/measures/measure_names.h"

namespace moco {

const RunKind& PretrainingKind() {
  static const RunKind& kind = *[] {
    std::vector<std::string> columns = {"step",
                                        "epoch",
                                        "loss",
                                        "top1",
                                        "top5",
                                        "lr",
                                        "pairs_per_second",
                                        "waiting",
                                        "epoch_loss",
                                        "epoch_top1",
                                        "loss_of_chance",
                                        "queue_filled",
                                        "queue_age",
                                        "spread",
                                        "dimensions",
                                        "leak",
                                        "knn",
                                        "probe"};
    for (std::string& metric : MeasureMetrics()) columns.push_back(std::move(metric));
    return new RunKind{"//moco:pretrain", "pairs", std::move(columns)};
  }();
  return kind;
}

std::vector<base::RunLog::TableRow> PretrainingSummary() {
  std::vector<base::RunLog::TableRow> rows = {{"loss of an epoch", "epoch_loss"},
                                              {"in % of chance", "loss_of_chance", 100},
                                              {"pretext Acc@1, %", "epoch_top1", 100},
                                              {"kNN, %", "knn", 100},
                                              {"linear probe, %", "probe", 100}};
  for (const MeasureName& measure : MeasureNames()) {
    for (const char* place : kMeasuredPlaces) {
      rows.push_back({absl::StrCat(measure.title, ", ", place), MeasureMetric(measure, place)});
    }
  }
  rows.insert(rows.end(), {{"spread of the keys", "spread"},
                           {"dimensions", "dimensions"},
                           {"leak, %", "leak", 100},
                           {"pairs/s", "pairs_per_second"},
                           {"waiting for data, %", "waiting", 100}});
  return rows;
}

void EpochSums::Add(const StepMetrics& metrics, int64_t step) {
  loss += metrics.loss;
  top1 += metrics.top1;
  // The first two steps of a run have no two steps before them.
  if (step > 1) similarities += metrics.similarities;
  ++steps;
}

std::vector<double*> EpochSums::Numbers() {
  return {&loss, &top1, &similarities.own, &similarities.batch, &similarities.earlier};
}

nlohmann::json EpochResult::Metrics() const {
  nlohmann::json line = {
      {"epoch_loss", loss},      {"epoch_top1", top1},      {"queue_filled", health.filled},
      {"queue_age", health.age}, {"spread", health.spread}, {"dimensions", health.dimensions},
      {"leak", health.leak}};
  if (health.loss) line["loss_of_chance"] = *health.loss;
  return line;
}

std::string EpochResult::MeansText() const {
  return absl::StrFormat("loss %.4f  pretext %.1f %%", loss, 100 * top1);
}

std::string EpochResult::HealthText(const std::string& verdict) const {
  return absl::StrFormat(
      "%skeys of the last %.2g epochs, spread %.2f in %.0f dimensions, leak %.0f %%: %s",
      health.loss ? absl::StrFormat("loss %.0f %% of chance, ", 100 * *health.loss) : "",
      health.age, health.spread, health.dimensions, 100 * health.leak, verdict);
}

EpochResult ResultOf(const EpochSums& sums, MoCo& moco, const MoCoOptions& options,
                     int64_t batch_size, int64_t done, int64_t steps_per_epoch) {
  const double steps = static_cast<double>(sums.steps);
  EpochResult result{sums.loss / steps, sums.top1 / steps, {}};
  const double directions = options.symmetric ? 2 : 1;
  const double keys_a_step = directions * static_cast<double>(batch_size);
  const double keys = std::min<double>(options.queue_size, keys_a_step * done);
  if (const auto chance = moco.loss().Chance(options.queue_size)) {
    result.health.loss = result.loss / (directions * *chance);
  }
  result.health.filled = keys / options.queue_size;
  result.health.age = keys / (keys_a_step * steps_per_epoch);
  MeasureSpread(moco.queue().Newest(static_cast<int64_t>(keys)), result.health);
  MeasureLeak(sums.similarities, result.health);
  return result;
}

}  // namespace moco
