#include "moco/training/evaluations.h"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/run_log.h"
#include "base/signals.h"
#include "moco/communicators/agreement.h"
#include "moco/measures/measure_names.h"
#include "moco/measures/rank_verdict.h"
#include "moco/report/sample.h"

namespace moco {
namespace {

MonitorOptions OfMonitor(const TrainerOptions& options) {
  return {.knn_every = options.knn_every,
          .k = options.knn_k,
          .temperature = options.knn_temperature,
          .probe = options.probe,
          .measures_every = options.monitor_every,
          .images = options.monitor_images,
          .bf16 = options.moco.bf16,
          .seed = options.seed,
          .loader_threads = options.loader_threads,
          .max_bad_images = options.max_bad_images};
}

// What follows "epoch 5/55": kNN on the same line, the measures on the next one.
std::string AsText(const Monitor::Result& result) {
  const std::string knn = result.Text(), measures = result.MeasuresText();
  return absl::StrCat(knn.empty() ? "" : "  ", knn, measures.empty() ? "" : "\n         ",
                      measures);
}

}  // namespace

Evaluations::Evaluations(const TrainerOptions& options, const MonitorData& data,
                         const augment::Pipeline& views, const augment::Pipeline& eval_views,
                         Communicator& communicator, TrainingRun& run)
    : options_(options),
      communicator_(communicator),
      run_(run),
      monitor_(OfMonitor(options), data, eval_views, views, communicator) {
  if (!run.reports()) return;
  sample_ = std::make_unique<ReportSample>(
      *data.train, eval_views, options.loader_threads,
      options.batch_size / communicator.size() / options.moco.accumulate, communicator);
}

absl::Status Evaluations::Begin(Encoder& encoder) {
  if (!monitor_.on().knn) run_.log().Print("kNN      off (--knn-every)");
  if (monitor_.on().measures) run_.log().Print("monitor  " + monitor_.Describe());
  if (run_.first_step() == 0 && (monitor_.on().any() || sample_ != nullptr)) {
    untrained_ = Copy(encoder.State());
  }
  for (const nlohmann::json& line : run_.log().Recorded(kJudgedMetric)) {  // of a resumed run
    KeepRank(line["step"], line[kJudgedMetric]);
  }
  return CatchUp(encoder);
}

void Evaluations::KeepRank(int64_t step, double rank) {
  if (step == 0) rank_before_ = rank;
  rank_now_ = rank;
}

std::string Evaluations::Judge(const std::string& verdict) const {
  return rank_before_ && rank_now_ ? VerdictWithRank(verdict, *rank_before_, *rank_now_) : verdict;
}

absl::Status Evaluations::CatchUp(Encoder& encoder) {
  const int64_t step = run_.first_step(), epochs = step / run_.steps_per_epoch();
  if (step % run_.steps_per_epoch() != 0 || epochs == 0) return absl::OkStatus();
  Monitor::Parts due = monitor_.Due(epochs - 1, options_.epochs);
  const auto recorded = [&](const std::vector<std::string>& metrics) {
    for (const std::string& metric : metrics) {
      for (const nlohmann::json& line : run_.log().Recorded(metric)) {
        if (line["step"] == step) return true;
      }
    }
    return false;
  };
  if (recorded({"knn"})) due.knn = false;
  if (recorded(MeasureMetrics())) due.measures = false;
  // Only rank 0 has the files.
  due = {RankZeroSays(communicator_, due.knn), RankZeroSays(communicator_, due.measures)};
  if (!due.any()) return absl::OkStatus();
  auto result = Evaluate(encoder, step, due);
  if (!result.ok()) return result.status();
  run_.log().Print(absl::StrFormat("epoch %d/%d%s", epochs, options_.epochs, AsText(*result)));
  return absl::OkStatus();
}

absl::Status Evaluations::EvaluateUntrained(Encoder& encoder) {
  if (untrained_.empty()) return absl::OkStatus();
  const StateDict live = encoder.State(), trained = Copy(live);
  if (absl::Status s = CopyState(std::exchange(untrained_, {}), live); !s.ok()) return s;
  auto result = Evaluate(encoder, 0, monitor_.on());
  if (result.ok()) TakeSample(encoder, report::kSampleStart);
  if (absl::Status s = CopyState(trained, live); !s.ok()) return s;
  // If the run stopped after the first step, it would resume without this number. It is better to
  // start it again.
  if (!result.ok()) return StopOr(result.status(), run_.first_step());
  const char* name = options_.initial == nullptr ? "untrained" : "initial";
  if (result->knn) {
    run_.log().Print(absl::StrFormat("monitor  %s with the %s encoder (k %d, t %g)", result->Text(),
                                     name, options_.knn_k, options_.knn_temperature));
  }
  if (const std::string measures = result->MeasuresText(); !measures.empty()) {
    run_.log().Print(absl::StrCat("monitor  ", measures, " with the ", name, " encoder"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Evaluations::EndEpoch(Encoder& encoder, int64_t epoch, int64_t done) {
  std::string text;
  if (const Monitor::Parts due = monitor_.Due(epoch, options_.epochs); due.any()) {
    auto result = Evaluate(encoder, done, due);
    if (!result.ok()) return StopOr(result.status(), done);
    text = AsText(*result);
  }
  const bool last = epoch + 1 == options_.epochs;
  if (sample_ != nullptr && (last || sample_->IsDue())) TakeSample(encoder, report::kSampleNow);
  return text;
}

double Evaluations::SecondsFrom(int64_t epoch) const {
  double seconds = 0;
  for (; epoch < options_.epochs; ++epoch) {
    seconds += monitor_.seconds(monitor_.Due(epoch, options_.epochs));
  }
  return seconds;
}

absl::StatusOr<Monitor::Result> Evaluations::Evaluate(Encoder& encoder, int64_t step,
                                                      Monitor::Parts parts) {
  auto result = monitor_.Evaluate(encoder, options_.moco.device, options_.moco.dtype, parts);
  if (!result.ok()) return result.status();
  run_.ReportBadImages(result->bad_images);
  nlohmann::json line = {{"step", step}};
  if (result->knn) line["knn"] = *result->knn;
  if (result->probe) line["probe"] = *result->probe;
  for (const auto& [metric, value] : result->measures) {
    line[metric] = value;
    if (metric == kJudgedMetric) KeepRank(step, value);
  }
  if (line.size() > 1) run_.log().Metrics(line);
  return result;
}

// The sample is for the report only: that it fails does not stop the run. A signal that has
// interrupted it stops the run before the next step.
void Evaluations::TakeSample(Encoder& encoder, const char* file) {
  if (sample_ == nullptr) return;
  const absl::Status taken =
      sample_->Take(encoder, options_.moco.device, options_.moco.dtype, run_.folder(), file);
  if (base::StopRequested().ok()) run_.log().Warn(taken);
}

absl::Status Evaluations::StopOr(const absl::Status& failure, int64_t done) {
  return base::StopRequested().ok() ? failure : run_.Stop(done, failure);
}

}  // namespace moco
