// What a run of pretraining evaluates beside its steps: the untrained encoder and those at the ends
// of epochs, by the monitor (kNN, probe, measures without labels) and by the report's sample.
#ifndef MOCO_TRAINING_EVALUATIONS_H_
#define MOCO_TRAINING_EVALUATIONS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "augment/augmentation.h"
#include "moco/checkpoints/state_dict.h"
#include "moco/communicators/communicator.h"
#include "moco/encoder.h"
#include "moco/training/monitor.h"
#include "moco/training/report_sample.h"
#include "moco/training/trainer_options.h"
#include "moco/training/training_run.h"

namespace moco {

// The functions are collective. A result goes into the run's log. If a signal interrupts an
// evaluation, the run ends with a checkpoint (TrainingRun::Stop).
class Evaluations {
 public:
  // `views` and `eval_views`: the pipelines of pretraining and of evaluation. All arguments must
  // outlive the object.
  Evaluations(const TrainerOptions& options, const MonitorData& data,
              const augment::Pipeline& views, const augment::Pipeline& eval_views,
              Communicator& communicator, TrainingRun& run);

  // Called before the first step since the program's start: says what is off, keeps the untrained
  // weights of a run that begins, and, if the run was stopped between a checkpoint and its
  // evaluation, makes up for it.
  absl::Status Begin(Encoder& encoder);

  // Evaluates the untrained encoder, once, if it is still to be done. Called after the first step,
  // so that the evaluation does not delay the first loss; `encoder` has its weights of now again
  // afterwards.
  absl::Status EvaluateUntrained(Encoder& encoder);

  // Evaluates the encoder after `epoch`, when `done` steps are done, if it is due. Returns what the
  // epoch's line says of it, or nothing.
  absl::StatusOr<std::string> EndEpoch(Encoder& encoder, int64_t epoch, int64_t done);

  // The verdict on the last epoch, from what moco::Verdict says of its keys and from the newest
  // evaluation (moco/measures/rank_verdict.h).
  std::string Judge(const std::string& verdict) const;

  // How long the evaluations of the epochs from `epoch` on will take, in seconds, as far as is
  // known.
  double SecondsFrom(int64_t epoch) const;

 private:
  absl::Status CatchUp(Encoder& encoder);
  absl::StatusOr<Monitor::Result> Evaluate(Encoder& encoder, int64_t step, Monitor::Parts parts);
  void KeepRank(int64_t step, double rank);
  void TakeSample(Encoder& encoder, const char* file);
  absl::Status StopOr(const absl::Status& failure, int64_t done);

  const TrainerOptions& options_;
  Communicator& communicator_;
  TrainingRun& run_;
  Monitor monitor_;
  std::unique_ptr<ReportSample> sample_;  // null: the run writes no report
  StateDict untrained_;                   // until it has been evaluated
  // RankMe of the backbone, before training and in the newest evaluation.
  std::optional<double> rank_before_, rank_now_;
};

}  // namespace moco

#endif  // MOCO_TRAINING_EVALUATIONS_H_
