// One training run: what pretraining and the linear classifier have in common. It knows the run's
// settings, where it resumes, that all ranks start alike, how it stops, what its checkpoints say,
// and its progress; what is trained, and how, is a TrainingTask.
#ifndef MOCO_TRAINING_TRAINING_RUN_H_
#define MOCO_TRAINING_TRAINING_RUN_H_

#include <ATen/core/Tensor.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/run_folder.h"
#include "base/run_log.h"
#include "data/dataset.h"
#include "data/loader.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/checkpoints/resume.h"
#include "moco/communicators/agreement.h"
#include "moco/communicators/communicator.h"
#include "moco/schedules/schedule.h"

namespace moco {

struct RunOptions {
  int64_t epochs = 1;
  int64_t start_epoch = 0;   // where a run begins that is not resumed
  int64_t batch_size = 256;  // of all ranks together
  double lr = 0.03;
  std::string schedule = "step";
  uint64_t seed = 0;

  int loader_threads = 1;
  int64_t max_bad_images = 0;
  // How the images were decoded (base/shared_flags.h), for the settings in checkpoints.
  std::string exif = "ignore";
  int64_t max_megapixels = 100;

  int64_t print_every = 10;       // steps between lines of metrics.jsonl
  double checkpoint_minutes = 0;  // between checkpoints within an epoch; 0: none

  std::string resume;                // a checkpoint to resume from; empty: none is named
  std::vector<std::string> earlier;  // the run folder's, oldest first; see FindResumePoint
  std::string force;                 // why the run may differ where only a reason allows it
};

// What is trained. The run calls every function on all ranks alike.
class TrainingTask {
 public:
  virtual ~TrainingTask() = default;

  // Takes the tensors of the checkpoint that the run resumes from. Errors are to be read after the
  // checkpoint's name.
  virtual absl::Status Load(const Checkpoint& checkpoint) = 0;

  // Every tensor that the next step depends on: rank 0's values are everybody's at the start.
  virtual std::vector<at::Tensor> State() = 0;

  // The sums over the steps of the epoch so far, which a checkpoint within the epoch keeps.
  virtual std::vector<double*> EpochSums() = 0;

  // What is to be done and printed before the first step of this start of the program.
  virtual absl::Status BeforeSteps() = 0;

  // One step, reported by TrainingRun::Report. `batch` holds this rank's rows and may be empty in a
  // smaller last batch.
  virtual absl::Status Step(const data::Batch& batch, int64_t step, double lr) = 0;

  // After the last step of `epoch`, when `done` steps of the run are done.
  virtual absl::Status EndEpoch(int64_t epoch, int64_t done) = 0;

  // Writes a checkpoint of `done` steps, by TrainingRun::Save.
  virtual absl::Status Save(int64_t done) = 0;

  // Prints the table of the run's numbers.
  virtual void Summarize() = 0;

  // Seconds that EndEpoch will take in the steps from `step` to the end, as far as is known.
  virtual double SecondsOfEpochEnds(int64_t step) const = 0;
};

// What a program's runs have in common.
struct RunKind {
  std::string target;  // that starts it: "//moco:pretrain"
  std::string items;   // what a step consists of: "pairs", in "pairs_per_second" and "pairs/s"
  std::vector<std::string> columns;  // of metrics.csv
};

// The calls are made in the order in which they stand here. `communicator` and `task` must outlive
// the run.
class TrainingRun {
 public:
  TrainingRun(RunKind kind, const RunOptions& options, Communicator& communicator,
              TrainingTask& task);

  // Makes the schedule and counts the steps of `images` images. InvalidArgument when the spec of
  // the schedule is wrong, when no batch can be filled, or when there are more than 2^32 steps.
  absl::Status Plan(int64_t images, bool drop_last);

  // Compares the settings over the ranks, `further` being those that a checkpoint does not hold,
  // and finds the checkpoint that the run resumes from, if any. Errors are those of
  // CheckSameSettings, FindResumePoint, CheckRun and NextStep.
  absl::Status FindStart(const RunSettings& settings, const Settings& further);

  // Loads the checkpoint, if there is one, and gives all ranks the state of rank 0.
  absl::Status ShareStart();

  // Starts to load the batches. `options` say what a view is (LoaderOf) and whether the last batch
  // may be smaller; the run fills in the rest.
  absl::Status StartLoader(const data::Dataset& dataset, data::LoaderOptions options);

  // Trains to the last step. Rank 0 writes to `folder`; the other ranks give null. On a signal
  // (base/signals.h) to any rank writes a checkpoint and returns the signal's status. A checkpoint
  // that cannot be written is reported and the run goes on; only the last one's failure is
  // returned. Unavailable when another rank is lost, naming it and the step.
  absl::Status Run(base::RunFolder* folder);

  // --- For the task, while Run() is at work ---

  // `text` and `metrics` describe the step just computed on `items` items of all ranks together;
  // the run adds progress, throughput and what is left.
  void Report(int64_t step, double lr, int64_t items, const std::string& text,
              const nlohmann::json& metrics);

  // Writes what `capture` returns, with what the run knows, to the file `name` of the run folder.
  // Before that the tensors `same` are compared over the ranks; Internal when they differ.
  absl::Status Save(const std::string& name, int64_t done, const std::vector<at::Tensor>& same,
                    const std::function<Checkpoint()>& capture);

  // Ends the run after `step` steps with a checkpoint: `why`, with how to go on.
  absl::Status Stop(int64_t step, const absl::Status& why);

  // Prints images that could not be read, each once.
  void ReportBadImages(const std::vector<data::BadImage>& images);

  // Runs `work`, whose time is no training: throughput and the estimate leave it out.
  absl::Status BesideTraining(const std::function<absl::Status()>& work);

  base::RunLog& log() const { return *log_; }
  base::RunFolder* folder() const { return folder_; }  // null on ranks but the first
  bool resumed() const { return !resumed_.path.empty(); }
  int64_t first_step() const { return first_step_; }  // of this start of the program
  int64_t last_step() const { return last_step_; }    // one past the last
  int64_t steps_per_epoch() const { return steps_per_epoch_; }

 private:
  using Clock = std::chrono::steady_clock;

  absl::Status FindCheckpoint();
  absl::Status Loop();
  absl::Status Step(int64_t step);

  const RunKind kind_;
  const RunOptions options_;
  Communicator& communicator_;
  TrainingTask& task_;

  std::unique_ptr<Schedule> schedule_;
  std::unique_ptr<data::Loader> loader_;
  base::RunFolder* folder_ = nullptr;
  base::RunLog* log_ = nullptr;

  RunSettings settings_;
  std::string run_id_;
  ResumePoint resumed_;  // without a path: the run starts
  std::set<int64_t> bad_images_;
  std::string forced_;

  int64_t steps_per_epoch_ = 0, first_step_ = 0, last_step_ = 0;
  int64_t at_step_ = -1;     // the step that is computed
  int64_t saved_step_ = -1;  // of the newest checkpoint
  int64_t items_ = 0;        // of the steps of this start
  Clock::time_point start_, saved_at_, step_start_;
  double seconds_beside_ = 0;
};

}  // namespace moco

#endif  // MOCO_TRAINING_TRAINING_RUN_H_
