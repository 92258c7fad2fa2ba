// A training run: the part that pretraining and the linear classifier have in common. It compares
// settings, resumes, gives all ranks the same start, stops, writes checkpoints and reports
// progress. A TrainingTask defines what is trained and how.
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
#include "data/decode_options.h"
#include "data/loader.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/checkpoints/resume.h"
#include "moco/communicators/agreement.h"
#include "moco/communicators/communicator.h"
#include "moco/schedules/schedule.h"

namespace moco {

struct RunOptions {
  int64_t epochs = 1;
  int64_t start_epoch = 0;   // first epoch of a run that does not resume
  int64_t batch_size = 256;  // of all ranks together
  double lr = 0.03;
  std::string schedule = "step";
  uint64_t seed = 0;

  int loader_threads = 1;
  int64_t max_bad_images = 0;
  data::DecodeOptions decode;  // how the images were decoded, for the settings in checkpoints

  int64_t print_every = 10;       // steps between lines of metrics.jsonl
  double checkpoint_minutes = 0;  // minutes between checkpoints within an epoch; 0: none

  std::string resume;  // a checkpoint to resume from; empty: none is given
  std::vector<std::string>
      earlier;        // checkpoints in the run folder, oldest first; see FindResumePoint
  std::string force;  // the reason for allowing differences (RunSettings::forceable); empty: none
  std::string init;   // fingerprint of the weights that the run starts from; empty: drawn ones
};

// What is trained. The run calls every function on all ranks.
class TrainingTask {
 public:
  virtual ~TrainingTask() = default;

  // Loads the tensors of the checkpoint from which the run resumes. Errors are to be read after the
  // checkpoint's name.
  virtual absl::Status Load(const Checkpoint& checkpoint) = 0;

  // Returns every tensor that the next step depends on; at the start, all ranks receive rank 0's
  // values.
  virtual std::vector<at::Tensor> State() = 0;

  // Returns the sums over the steps of the epoch so far, which a checkpoint within the epoch
  // stores.
  virtual std::vector<double*> EpochSums() = 0;

  // Called before the first step, also of a resumed run.
  virtual absl::Status BeforeSteps() = 0;

  // Computes one step. A step whose numbers are at hand calls TrainingRun::Report; one that a
  // device is still computing leaves that to Read(). `batch` holds this rank's rows, and may be
  // empty if the last batch is smaller.
  virtual absl::Status Step(const data::Batch& batch, int64_t step, double lr) = 0;

  // Waits for the numbers of the steps that have not been reported, if there are any, and calls
  // TrainingRun::Report once. Called every RunOptions::print_every steps, before EndEpoch and Save,
  // and before the run stops. Not collective.
  virtual absl::Status Read() { return absl::OkStatus(); }

  // Called after the last step of `epoch`, when `done` steps of the run are done.
  virtual absl::Status EndEpoch(int64_t epoch, int64_t done) = 0;

  // Writes a checkpoint after `done` steps, by TrainingRun::Save.
  virtual absl::Status Save(int64_t done) = 0;

  // Prints a table of the metrics of the whole run.
  virtual void Summarize() = 0;

  // Returns how many seconds EndEpoch will take from `step` to the end, as far as is known.
  virtual double SecondsOfEpochEnds(int64_t step) const = 0;
};

// Properties that all runs of a program share.
struct RunKind {
  std::string target;  // the target of the program: "//moco:pretrain"
  std::string items;   // what a step consists of: "pairs", in "pairs_per_second" and "pairs/s"
  std::vector<std::string> columns;  // columns of metrics.csv
};

// The functions are called in the order of their declaration. `communicator` and `task` must
// outlive the run.
class TrainingRun {
 public:
  TrainingRun(RunKind kind, const RunOptions& options, Communicator& communicator,
              TrainingTask& task);

  // Makes the schedule and computes the number of steps for `images` images. InvalidArgument if the
  // spec of the schedule is wrong, if no batch can be filled, or if there are more than 2^32 steps.
  absl::Status Plan(int64_t images, bool drop_last);

  // Compares the settings of all ranks, and finds the checkpoint from which the run resumes, if
  // any. `further` are settings that checkpoints do not hold. Errors are those of
  // CheckSameSettings, FindResumePoint, CheckRun and NextStep.
  absl::Status FindStart(const RunSettings& settings, const Settings& further);

  // Loads the checkpoint, if there is one, and sends the state of rank 0 to all ranks.
  absl::Status ShareStart();

  // Starts loading batches. `options` define the views (LoaderOf) and whether the last batch may be
  // smaller; the run sets the rest.
  absl::Status StartLoader(const data::Dataset& dataset, data::LoaderOptions options);

  // Trains to the last step. Rank 0 writes to `folder`; the other ranks pass null. If any rank
  // receives a signal (base/signals.h), the run writes a checkpoint and returns the status of the
  // signal. A checkpoint that cannot be written is reported, and the run continues; only for the
  // last one the error is returned. Unavailable, naming the rank and the step, if another rank is
  // lost.
  absl::Status Run(base::RunFolder* folder);

  // --- Called by the task during Run() ---

  // Reports that all steps up to `step` are done, the last one described by `text` and `metrics`;
  // `items` is the number of items of all ranks together in the steps since the last report. The
  // run adds progress, throughput and the remaining time.
  void Report(int64_t step, double lr, int64_t items, const std::string& text,
              const nlohmann::json& metrics);

  // Writes the checkpoint that `capture` returns, completed by the run, to the file `name` in the
  // run folder. First compares the tensors `same` between the ranks; Internal if they differ.
  absl::Status Save(const std::string& name, int64_t done, const std::vector<at::Tensor>& same,
                    const std::function<Checkpoint()>& capture);

  // Ends the run with a checkpoint after `step` steps. Returns `why` with the command that resumes
  // the run.
  absl::Status Stop(int64_t step, const absl::Status& why);

  // Reports images that could not be read, each once.
  void ReportBadImages(const std::vector<data::BadImage>& images);

  // Runs `work` without counting its time as training, so that throughput and the estimate exclude
  // it.
  absl::Status BesideTraining(const std::function<absl::Status()>& work);

  // Whether the run writes a report of itself (--report). All ranks have the same answer.
  bool reports() const;

  base::RunLog& log() const { return *log_; }
  base::RunFolder* folder() const { return folder_; }  // null on all ranks except rank 0
  bool resumed() const { return !resumed_.path.empty(); }
  int64_t first_step() const { return first_step_; }  // first step since this start of the program
  int64_t last_step() const { return last_step_; }    // one past the last
  int64_t steps_per_epoch() const { return steps_per_epoch_; }

 private:
  using Clock = std::chrono::steady_clock;

  absl::Status FindCheckpoint();
  void WriteSettings();
  void WriteReport();
  absl::Status Loop();
  absl::Status Step(int64_t step);
  bool IsToBeRead(int64_t step) const;

  const RunKind kind_;
  const RunOptions options_;
  Communicator& communicator_;
  TrainingTask& task_;

  std::unique_ptr<Schedule> schedule_;
  std::unique_ptr<data::Loader> loader_;
  const data::Dataset* dataset_ = nullptr;  // that of the loader
  base::RunFolder* folder_ = nullptr;
  base::RunLog* log_ = nullptr;

  RunSettings settings_;
  std::string run_id_, init_;
  ResumePoint resumed_;  // without a path: the run does not resume
  std::set<int64_t> bad_images_;
  std::string forced_;

  int64_t steps_per_epoch_ = 0, first_step_ = 0, last_step_ = 0;
  int64_t at_step_ = -1;     // the step being computed
  int64_t saved_step_ = -1;  // step of the newest checkpoint
  int64_t items_ = 0;        // items of the steps since this start
  int64_t reported_ = 0;     // steps since this start that have been reported
  Clock::time_point start_, saved_at_;
  Clock::time_point unreported_since_;  // when the first step after the last report began
  double seconds_beside_ = 0;
};

}  // namespace moco

#endif  // MOCO_TRAINING_TRAINING_RUN_H_
