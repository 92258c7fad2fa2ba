#include "moco/training/training_run.h"

#include <ATen/Context.h>
#include <gflags/gflags.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/files.h"
#include "base/preset_in_use.h"
#include "base/progress.h"
#include "base/shared_flags.h"
#include "base/signals.h"
#include "base/usual_flags.h"
#include "data/loader.h"
#include "moco/backbones/backbone.h"
#include "moco/heads/head.h"
#include "moco/losses/loss.h"
#include "moco/optimizers/optimizer.h"
#include "moco/report/report.h"
#include "moco/report/run.h"

MOCOPP_REPORT_FLAG;

namespace moco {
namespace {

constexpr int64_t kMaxSteps = int64_t{1} << 32;  // base::Rng distinguishes no more steps

// Settings that may differ between ranks, because they affect only the rounding of results.
bool IsOfMachine(const std::string& setting) { return setting == "threads" || setting == "cpu"; }

// Updates the specs of a checkpoint to their present canonical form, since a plugin may have new
// options.
void RenewSpecs(CheckpointFacts& facts) {
  const auto renew = [&](const char* name, const auto& registry) {
    const auto saved = facts.settings.find(name);
    if (saved == facts.settings.end()) return;
    if (auto spec = registry.Canonical(saved->second); spec.ok()) saved->second = *spec;
  };
  renew(kArchSetting, Backbones());
  renew(kHeadSetting, Heads());
  renew(kLossSetting, Losses());
  renew("optimizer", Optimizers());
  renew("schedule", Schedules());
}

}  // namespace

TrainingRun::TrainingRun(RunKind kind, const RunOptions& options, Communicator& communicator,
                         TrainingTask& task)
    : kind_(std::move(kind)), options_(options), communicator_(communicator), task_(task) {}

absl::Status TrainingRun::Plan(int64_t images, bool drop_last) {
  const int64_t batch = options_.batch_size;
  if (batch > images) {
    return data::BatchCannotBeFilled(batch, images);
  }
  steps_per_epoch_ = drop_last ? images / batch : (images + batch - 1) / batch;
  auto schedule =
      Schedules().Create(options_.schedule, ScheduleContext{options_.epochs, steps_per_epoch_});
  if (!schedule.ok()) return schedule.status();
  schedule_ = std::move(*schedule);
  if (__builtin_mul_overflow(options_.epochs, steps_per_epoch_, &last_step_) ||
      last_step_ >= kMaxSteps) {
    return absl::InvalidArgumentError(absl::StrCat("--epochs ", options_.epochs, " of ",
                                                   steps_per_epoch_, " steps are more than ",
                                                   kMaxSteps, " steps; lower it"));
  }
  first_step_ = options_.start_epoch * steps_per_epoch_;
  return absl::OkStatus();
}

absl::Status TrainingRun::FindStart(const RunSettings& settings, const Settings& further) {
  settings_ = settings;
  init_ = options_.init;
  Settings identity = settings.All();
  if (!init_.empty()) identity.emplace_back("init", init_);
  run_id_ = NewRunId(identity);
  Settings of_ranks;
  for (const auto& setting : identity) {
    if (!IsOfMachine(setting.first)) of_ranks.push_back(setting);
  }
  of_ranks.insert(of_ranks.end(), further.begin(), further.end());
  of_ranks.emplace_back("report", reports() ? "true" : "false");
  if (absl::Status s = CheckSameSettings(communicator_, of_ranks); !s.ok()) return s;
  if (options_.resume.empty() && options_.earlier.empty()) return absl::OkStatus();
  auto found = FindResumePoint(options_.resume, options_.earlier);
  if (!found.ok()) return found.status();
  resumed_ = *std::move(found);
  RenewSpecs(resumed_.checkpoint.facts);
  return base::InFile(FindCheckpoint(), resumed_.path);
}

// Errors are to be read after the checkpoint's name.
absl::Status TrainingRun::FindCheckpoint() {
  const CheckpointFacts& facts = resumed_.checkpoint.facts;
  if (absl::Status s = CheckRun(settings_, options_.force, resumed_); !s.ok()) return s;
  if (!init_.empty() && init_ != facts.init) {
    return absl::InvalidArgumentError(absl::StrCat(
        "belongs to a run that started from ", facts.init.empty() ? "drawn" : "other",
        " weights, not from those of --init; omit --init, or start a new run in another folder"));
  }
  init_ = facts.init;
  run_id_ = RunId(resumed_.checkpoint);
  // A run that was stopped after its last checkpoint and before its end may still end.
  const bool own = std::find(options_.earlier.begin(), options_.earlier.end(), resumed_.path) !=
                   options_.earlier.end();
  auto step = NextStep(resumed_.checkpoint, steps_per_epoch_, last_step_, own || !facts.validated);
  if (!step.ok()) return step.status();
  first_step_ = *step;
  if (facts.steps_per_epoch && *facts.steps_per_epoch != steps_per_epoch_) {
    absl::StrAppend(&resumed_.differences, resumed_.differences.empty() ? "" : "; ",
                    "steps per epoch ", *facts.steps_per_epoch, " -> ", steps_per_epoch_,
                    " (the learning rate of an epoch stays that of --lr and the schedule)");
  }
  saved_step_ = facts.step.value_or(first_step_);  // epochs may have had another length
  if (resumed_.forced.empty())
    bad_images_ = facts.bad_images;  // otherwise they may be other images
  forced_ = facts.forced;
  if (!resumed_.forced.empty()) {
    absl::StrAppend(&forced_, forced_.empty() ? "" : "; ", resumed_.forced);
  }
  const std::vector<double*> sums = task_.EpochSums();
  if (first_step_ % steps_per_epoch_ != 0 && facts.epoch_sums.size() == sums.size()) {
    for (size_t i = 0; i < sums.size(); ++i) *sums[i] = facts.epoch_sums[i];
  }
  return absl::OkStatus();
}

absl::Status TrainingRun::ShareStart() {
  if (resumed()) {
    absl::Status s = task_.Load(resumed_.checkpoint);
    resumed_.checkpoint = {};  // its tensors have been copied
    if (!s.ok()) return base::InFile(s, resumed_.path);
  }
  absl::Status s = CheckSameSettings(communicator_,
                                     {{"resume (its checkpoint must be readable on every machine)",
                                       absl::StrCat("step ", first_step_, " of ", run_id_)}});
  if (!s.ok()) return s;
  const std::vector<at::Tensor> state = task_.State();
  communicator_.Broadcast(state);
  return CheckSameTensors(communicator_, state, "the initial values", first_step_);
}

absl::Status TrainingRun::StartLoader(const data::Dataset& dataset, data::LoaderOptions options) {
  options.batch_size = options_.batch_size;
  options.rank = communicator_.rank();
  options.ranks = communicator_.size();
  options.seed = options_.seed;
  options.threads = options_.loader_threads;
  options.first_step = first_step_;
  options.last_step = last_step_;
  options.max_bad_images = options_.max_bad_images;
  options.known_bad = bad_images_;
  auto made = data::Loader::Create(dataset, std::move(options));
  if (!made.ok()) return made.status();
  loader_ = std::move(*made);
  dataset_ = &dataset;
  return absl::OkStatus();
}

absl::Status TrainingRun::Run(base::RunFolder* folder) {
  return UntilAPeerIsLost(
      [&] {
        folder_ = folder;
        base::RunLog log(folder, kind_.columns);
        log_ = &log;
        log.Start(first_step_ > 0 ? saved_step_ : 0);
        if (folder != nullptr) WriteSettings();
        if (resumed()) {
          if (folder != nullptr) {
            for (const std::string& line : PutAsideDamaged(resumed_)) log.Print(line);
          }
          for (const std::string& line : DescribeResume(resumed_, first_step_, steps_per_epoch_,
                                                        last_step_, options_.force)) {
            log.Print(line);
          }
        }
        return Loop();
      },
      at_step_);
}

absl::Status TrainingRun::Loop() {
  start_ = saved_at_ = Clock::now();
  if (absl::Status s = BesideTraining([&] { return task_.BeforeSteps(); }); !s.ok()) return s;
  for (int64_t step = first_step_; step < last_step_; ++step) {
    at_step_ = step;
    if (absl::Status stop = StopRequested(communicator_); !stop.ok()) return Stop(step, stop);
    if (absl::Status s = Step(step); !s.ok()) return s;
    const bool ends = (step + 1) % steps_per_epoch_ == 0;
    const bool saves = !ends && options_.checkpoint_minutes > 0 &&
                       RankZeroSays(communicator_, base::SecondsSince(saved_at_) >=
                                                       60 * options_.checkpoint_minutes);
    if (ends || saves || IsToBeRead(step)) {
      if (absl::Status s = task_.Read(); !s.ok()) return s;
    }
    if (ends) {
      absl::Status s =
          BesideTraining([&] { return task_.EndEpoch(step / steps_per_epoch_, step + 1); });
      if (!s.ok()) return s;
    } else if (saves) {
      // A failure has been printed, and the next checkpoint is another attempt.
      (void)BesideTraining([&] { return task_.Save(step + 1); });
    }
  }
  log_->Print(absl::StrFormat(
      "summary  %d epochs, %d steps; since the last start %d steps in %s, of which %s for "
      "evaluation and checkpoints",
      options_.epochs, last_step_, last_step_ - first_step_,
      base::FormatSeconds(base::SecondsSince(start_)), base::FormatSeconds(seconds_beside_)));
  task_.Summarize();
  if (folder_ != nullptr && reports()) WriteReport();
  return absl::OkStatus();
}

// Describes the run for its report (moco/report/run.h).
void TrainingRun::WriteSettings() {
  const std::string path = folder_->File(report::kSettingsFile);
  const base::Preset& preset = base::PresetInUse();
  report::Settings settings{.program = kind_.target,
                            .preset = preset.name,
                            .usual = base::UsualFlags(preset.flags),
                            .steps = last_step_,
                            .steps_per_epoch = steps_per_epoch_};
  for (const auto& [setting, value] : settings_.All()) settings.facts[setting] = value;
  // The command that resumes a run need not name its preset.
  if (resumed() && preset.name.empty()) {
    std::vector<std::string> notes;
    const report::Settings known = report::ReadSettings(path, notes);
    if (!known.usual.empty()) {
      settings.preset = known.preset;
      settings.usual = known.usual;
    }
  }
  log_->Warn(base::WriteFileAtomically(path, report::SettingsText(settings)));
}

bool TrainingRun::reports() const { return FLAGS_report; }

// A report that cannot be made or written does not stop the run.
void TrainingRun::WriteReport() {
  const absl::Status written = report::WriteReport(folder_->path(), dataset_);
  log_->Warn(written);
  if (written.ok()) log_->Print(absl::StrCat("report   ", folder_->File(report::kReportFile)));
}

// The first step shows that the run works, and the others are to appear in metrics.jsonl.
bool TrainingRun::IsToBeRead(int64_t step) const {
  return step == first_step_ || (step + 1) % options_.print_every == 0;
}

absl::Status TrainingRun::Step(int64_t step) {
  if (step == first_step_ + reported_) unreported_since_ = Clock::now();
  auto batch = loader_->Next();
  if (!batch.ok()) return batch.status();
  ReportBadImages(loader_->bad_images());
  at::manual_seed(options_.seed + step +
                  1);  // for random numbers that a plugin draws in a step (dropout)
  return task_.Step(**batch, step, options_.lr * schedule_->Factor(step));
}

void TrainingRun::Report(int64_t step, double lr, int64_t items, const std::string& text,
                         const nlohmann::json& metrics) {
  items_ += items;
  const int64_t epoch = step / steps_per_epoch_, steps = step + 1 - first_step_;
  const int64_t before = std::exchange(reported_, steps);
  const double seconds = base::SecondsSince(start_) - seconds_beside_;
  const double rate = items_ / seconds, waiting = loader_->seconds_waited() / seconds;
  const double left =
      (last_step_ - step - 1) * seconds / steps + task_.SecondsOfEpochEnds(step + 1);
  log_->Update(absl::StrFormat("epoch %d/%d step %d/%d  %s  %.0f %s/s  waiting %.1f %%  %s left",
                               epoch + 1, options_.epochs, step % steps_per_epoch_ + 1,
                               steps_per_epoch_, text, rate, kind_.items, 100 * waiting,
                               base::FormatSeconds(left)));
  // The first step is slower, because libraries choose algorithms.
  if (before == 1) {
    const std::string warning =
        base::SlowStepWarning(base::SecondsSince(unreported_since_) / (steps - before));
    if (!warning.empty()) log_->Print(warning);
  }
  if (before < 20 && steps >= 20) {
    log_->Print(absl::StrCat("the run will take about ",
                             base::FormatSeconds(base::SecondsSince(start_) + left)));
  }
  if ((step + 1) % options_.print_every != 0 && step != 0) return;
  nlohmann::json line = {{"step", step + 1}, {"epoch", epoch}};
  line.update(metrics);
  line.update({{"lr", lr}, {kind_.items + "_per_second", rate}, {"waiting", waiting}});
  log_->Metrics(line);
}

absl::Status TrainingRun::Save(const std::string& name, int64_t done,
                               const std::vector<at::Tensor>& same,
                               const std::function<Checkpoint()>& capture) {
  if (absl::Status s = CheckSameTensors(communicator_, same, "the weights or the queue", done);
      !s.ok()) {
    return s;
  }
  for (const data::BadImage& image : loader_->bad_images()) bad_images_.insert(image.index);
  bad_images_ = Union(communicator_, bad_images_);
  saved_at_ = Clock::now();
  if (folder_ == nullptr) return absl::OkStatus();
  Checkpoint c = capture();
  c.epoch = done / steps_per_epoch_;
  c.optimizer.lr = options_.lr * schedule_->Factor(done - 1);
  for (const auto& [setting, value] : settings_.All()) c.facts.settings[setting] = value;
  c.facts.run = run_id_;
  c.facts.step = done;
  c.facts.steps_per_epoch = steps_per_epoch_;
  c.facts.bad_images = bad_images_;
  c.facts.forced = forced_;
  c.facts.init = init_;
  for (const double* sum : task_.EpochSums()) c.facts.epoch_sums.push_back(*sum);
  absl::Status written = WriteCheckpoint(folder_->File(name), c);
  if (written.ok()) {
    saved_step_ = done;
  } else {
    log_->Print(
        absl::StrCat("warning: the checkpoint could not be written; earlier ones are unchanged: ",
                     written.message()));
  }
  return written;
}

absl::Status TrainingRun::Stop(int64_t step, const absl::Status& why) {
  if (step == first_step_) {
    return absl::Status(why.code(), absl::StrCat(why.message(), " before the first step; ",
                                                 "no checkpoint was written"));
  }
  if (absl::Status s = task_.Read(); !s.ok()) return s;
  // Only rank 0 knows, because it writes the checkpoints.
  const bool saved = RankZeroSays(communicator_, step == saved_step_);
  if (absl::Status s = saved ? absl::OkStatus() : task_.Save(step); !s.ok()) {
    return absl::Status(s.code(), absl::StrCat(why.message(), ", and ", s.message()));
  }
  if (folder_ == nullptr) {
    return absl::Status(why.code(), absl::StrCat(why.message(), " after step ", step));
  }
  const std::string start = communicator_.size() > 1
                                ? "the same command with --resume="
                                : absl::StrCat("bazel run ", kind_.target, " -- --resume=");
  return absl::Status(why.code(), absl::StrCat(why.message(), " after step ", step,
                                               ", checkpoint written; resume with: ", start,
                                               base::ShellQuoted(folder_->path())));
}

void TrainingRun::ReportBadImages(const std::vector<data::BadImage>& images) {
  for (const data::BadImage& image : images) log_->BadImage(image.name, image.why);
}

absl::Status TrainingRun::BesideTraining(const std::function<absl::Status()>& work) {
  const auto began = Clock::now();
  absl::Status status = work();
  seconds_beside_ += base::SecondsSince(began);
  return status;
}

}  // namespace moco
