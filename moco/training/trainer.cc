#include "moco/training/trainer.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "augment/augmentation.h"
#include "base/files.h"
#include "base/progress.h"
#include "base/run_log.h"
#include "base/signals.h"
#include "data/loader.h"
#include "moco/backbones/backbone.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/checkpoints/resume.h"
#include "moco/communicators/agreement.h"
#include "moco/heads/head.h"
#include "moco/health.h"
#include "moco/losses/loss.h"
#include "moco/measures/knn.h"
#include "moco/measures/online_probe.h"
#include "moco/optimizers/optimizer.h"
#include "moco/schedules/schedule.h"
#include "moco/training/images.h"
#include "moco/training/run_description.h"
#include "moco/training/training_state.h"

namespace moco {
namespace {

using Clock = std::chrono::steady_clock;

// Of metrics.csv: a step's numbers, an epoch's, and those of the monitor.
const std::vector<std::string> kColumns = {"step",
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

constexpr int64_t kMaxSteps = int64_t{1} << 32;  // what base::Rng tells apart

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

StateDict Copy(const StateDict& state) {
  StateDict copy;
  for (const auto& [name, tensor] : state) copy.emplace_back(name, tensor.detach().clone());
  return copy;
}

std::vector<at::Tensor> Tensors(const StateDict& state) {
  std::vector<at::Tensor> tensors;
  for (const auto& [name, tensor] : state) tensors.push_back(tensor);
  return tensors;
}

int64_t Bytes(const StateDict& state) {
  int64_t bytes = 0;
  for (const auto& [name, tensor] : state) bytes += tensor.nbytes();
  return bytes;
}

class TrainerImpl : public Trainer {
 public:
  TrainerImpl(const TrainerOptions& options, const TrainerData& data, Communicator& communicator)
      : options_(options), data_(data), communicator_(communicator) {}

  // Everything that can be wrong, cheapest first. The loader fills its first batches while the
  // encoders are made.
  absl::Status Prepare() {
    const int64_t splits = options_.moco.encoder.bn_splits, micro = options_.moco.accumulate;
    const int64_t ranks = communicator_.size();
    if (options_.batch_size % (ranks * micro * splits) != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("--batch-size ", options_.batch_size, " cannot be split into ",
                       ranks > 1 ? absl::StrCat("equal shares of ", ranks, " ranks, of ") : "",
                       micro > 1 ? absl::StrCat("--accumulate ", micro, " micro-batches of ") : "",
                       "--bn-splits ", splits, " equal parts; make one divide the other"));
    }
    if (absl::Status s = CreateViews(); !s.ok()) return s;
    steps_per_epoch_ = data_.train->size() / options_.batch_size;
    auto schedule = Schedules().Create(
        options_.schedule,
        ScheduleContext{options_.epochs, std::max<int64_t>(steps_per_epoch_, 1)});
    if (!schedule.ok()) return schedule.status();
    schedule_ = std::move(*schedule);
    if (absl::Status s = CheckEncoder(); !s.ok()) return s;

    if (__builtin_mul_overflow(options_.epochs, steps_per_epoch_, &last_step_) ||
        last_step_ >= kMaxSteps) {
      return absl::InvalidArgumentError(absl::StrCat("--epochs ", options_.epochs, " of ",
                                                     steps_per_epoch_, " steps are more than ",
                                                     kMaxSteps, " steps; lower it"));
    }
    first_step_ = options_.start_epoch * steps_per_epoch_;
    run_id_ = NewRunId(SettingsOfRun().All());
    if (absl::Status s = CheckSameSettings(communicator_, SettingsOfRanks()); !s.ok()) return s;
    const bool resumed = !options_.resume.empty() || !options_.earlier.empty();
    if (resumed && steps_per_epoch_ > 0) {
      auto found = FindResumePoint(options_.resume, options_.earlier);
      if (!found.ok()) return found.status();
      resumed_ = *std::move(found);
      WriteSpecsAnew(resumed_.checkpoint);
      absl::Status s = FindFirstStep();
      if (!s.ok()) {
        return absl::Status(s.code(), absl::StrCat("'", resumed_.path, "' ", s.message()));
      }
    }
    if (absl::Status s = StartLoader(); !s.ok()) return s;

    at::manual_seed(options_.seed);  // initial values
    auto moco = MoCo::Create(options_.moco, communicator_);
    if (!moco.ok()) return moco.status();
    moco_ = std::move(*moco);
    if (!resumed_.path.empty()) {
      if (absl::Status s = Load(); !s.ok()) return s;
    }
    return ShareState();
  }

  absl::Status Run(base::RunFolder* folder) override {
    return UntilAPeerIsLost([&] { return RunAll(folder); }, at_step_);
  }

 private:
  absl::Status RunAll(base::RunFolder* folder) {
    folder_ = folder;
    base::RunLog log(folder, kColumns);
    log_ = &log;
    SayWhatItTakes();
    log.Start(first_step_ > 0 ? saved_step_ : 0);
    if (!resumed_.path.empty()) {
      if (folder_ == nullptr) resumed_.damaged.clear();  // rank 0 puts them aside
      for (const std::string& line :
           StartResumed(resumed_, first_step_, steps_per_epoch_, last_step_, options_.force)) {
        log.Print(line);
      }
      if (absl::Status s = CatchUp(); !s.ok()) return s;
    }
    return Loop();
  }

  // --- Before the first batch ---

  absl::Status CreateViews() {
    const int channels = *ImageChannels(options_.moco.encoder.backbone);
    auto views = augment::Pipeline::Create(options_.views, channels);
    if (!views.ok()) return views.status();
    views_ = std::make_unique<augment::Pipeline>(*std::move(views));
    auto eval_views = augment::Pipeline::Create(options_.eval_views, channels);
    if (!eval_views.ok()) return eval_views.status();
    eval_views_ = std::make_unique<augment::Pipeline>(*std::move(eval_views));
    if (auto view = MakeView(*views_); !view.ok()) return view.status();
    return MakeView(*eval_views_).status();
  }

  // The encoder's specs, by making one; and the bytes that an image keeps alive between its forward
  // and backward pass, by a pass over a few.
  absl::Status CheckEncoder() {
    auto encoder = Encoder::Create(options_.moco.encoder);
    if (!encoder.ok()) return encoder.status();
    (*encoder)->To(at::kCPU, options_.moco.dtype);
    const int64_t images = 2 * options_.moco.encoder.bn_splits;
    const auto& type = views_->output();
    const at::Tensor input =
        at::zeros({images, type.channels, type.rows, type.cols}, options_.moco.dtype)
            .contiguous(at::MemoryFormat::ChannelsLast);
    const size_t before = mallinfo2().uordblks;
    const at::Tensor output = (**encoder)(input);
    const double activations = static_cast<double>(mallinfo2().uordblks - before) / images;
    EstimateMemory(Bytes((*encoder)->State()), (*encoder)->dim(), activations);
    return absl::OkStatus();
  }

  // From the bytes of an encoder's weights and of what an image keeps alive. Said before anything
  // large is asked for, since who lacks the memory would not hear it afterwards.
  void EstimateMemory(double weights, int64_t dim, double activations) {
    const MoCoOptions& m = options_.moco;
    const double width = at::elementSize(m.dtype);
    const double batch = 1.0 * options_.batch_size / communicator_.size();
    const double queue = width * dim * m.queue_size;
    const augment::ImageType& type = views_->output();
    const double view = 4.0 * type.channels * type.rows * type.cols;
    const double loader = 3 * 2 * view * batch;
    const double micro = batch / m.accumulate;
    const double logits = 3 * width * micro * m.queue_size;
    memory_bytes_ = 4 * weights + queue + loader + logits + 1.3 * activations * micro + 300e6;
    checkpoint_bytes_ = 3 * weights + queue;
    if (!options_.moco.device.is_cpu()) return;  // it is the device's memory
    const double physical = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGE_SIZE);
    if (memory_bytes_ > physical) {
      base::Progress().Print(
          absl::StrCat("warning: the run wants about ", base::FormatBytes(memory_bytes_),
                       " of memory, there are ", base::FormatBytes(physical),
                       "; lower --batch-size or --moco-k, or raise --accumulate"));
    }
  }

  // A checkpoint's specs as they are written now: a plugin may have more options since.
  static void WriteSpecsAnew(Checkpoint& checkpoint) {
    const auto write = [&](const char* name, const auto& registry) {
      const auto saved = checkpoint.mocopp.find(name);
      if (saved == checkpoint.mocopp.end()) return;
      if (auto spec = registry.Canonical(saved->second); spec.ok()) saved->second = *spec;
    };
    write("arch", Backbones());
    write("mlp", Heads());
    write("loss", Losses());
    write("optimizer", Optimizers());
    write("schedule", Schedules());
  }

  // Without the same machine and threads the results are as good, but not the same to the bit.
  RunSettings SettingsOfRun() const {
    const MoCoOptions& m = options_.moco;
    RunSettings settings;
    settings.identity = {{"program", "pretrain"},
                         {"arch", Backbones().Canonical(m.encoder.backbone).value()},
                         {"mlp", Heads().Canonical(m.encoder.head).value()},
                         {"moco-k", absl::StrCat(m.queue_size)},
                         {"batch-size", absl::StrCat(options_.batch_size)},
                         {"bn-splits", absl::StrCat(m.encoder.bn_splits)},
                         {"symmetric", m.symmetric ? "true" : "false"},
                         {"accumulate", absl::StrCat(m.accumulate)},
                         {"precision", m.bf16                   ? "bf16"
                                       : m.dtype == at::kDouble ? "fp64"
                                                                : "fp32"},
                         {"seed", absl::StrCat(options_.seed)}};
    settings.forceable = {{"aug-plus", options_.views},
                          {"data", absl::StrCat(data_.train->size(), " images")}};
    settings.changeable = {{"loss", Losses().Canonical(options_.moco.loss).value()},
                           {"optimizer", Optimizers().Canonical(options_.moco.optimizer).value()},
                           {"moco-m", registry::WriteValue(options_.moco.momentum)},
                           {"lr", registry::WriteValue(options_.lr)},
                           {"schedule", Schedules().Canonical(options_.schedule).value()},
                           {"epochs", absl::StrCat(options_.epochs)},
                           {"ranks", absl::StrCat(communicator_.size())},
                           {"threads", absl::StrCat(at::get_num_threads())},
                           {"cpu", CpuForResults()},
                           {"device", c10::DeviceTypeName(m.device.type(), /*lower_case=*/true)}};
    return settings;
  }

  // What must be the same on every rank, beside what its first step shows.
  Settings SettingsOfRanks() const {
    Settings settings = SettingsOfRun().All();
    settings.erase(std::remove_if(settings.begin(), settings.end(),
                                  [](const auto& setting) {
                                    return setting.first == "threads" || setting.first == "cpu";
                                  }),
                   settings.end());
    settings.insert(settings.end(),
                    {{"shuffle", options_.shuffle},
                     {"eval-views", options_.eval_views},
                     {"checkpoint-every", absl::StrCat(options_.checkpoint_every)},
                     {"knn-every", absl::StrCat(options_.knn_every)},
                     {"checkpoint-minutes", registry::WriteValue(options_.checkpoint_minutes)},
                     {"knn-k", absl::StrCat(options_.knn_k)},
                     {"knn-t", registry::WriteValue(options_.knn_temperature)},
                     {"probe", options_.probe ? "true" : "false"},
                     {"start-epoch", absl::StrCat(options_.start_epoch)}});
    return settings;
  }

  // The same start for all ranks, whatever each has drawn or read.
  absl::Status ShareState() {
    if (absl::Status s = CheckSameSettings(
            communicator_, {{"resume (its checkpoint must be readable on every machine)",
                             absl::StrCat("step ", first_step_, " of ", run_id_)}});
        !s.ok()) {
      return s;
    }
    Checkpoint state;
    Capture(*moco_, state);
    std::vector<at::Tensor> all = Tensors(state.state);
    for (const auto& [name, tensors] : state.optimizer.slots) {
      all.insert(all.end(), tensors.begin(), tensors.end());
    }
    communicator_.Broadcast(all);
    return CheckSameTensors(communicator_, all, "the initial values", first_step_);
  }

  // Where the checkpoint's run goes on; an error, to be read after its name, when it is another run
  // than this.
  absl::Status FindFirstStep() {
    const Checkpoint& checkpoint = resumed_.checkpoint;
    if (absl::Status s = CheckRun(SettingsOfRun(), options_.force, resumed_); !s.ok()) return s;
    run_id_ = RunId(checkpoint);
    // A run that was stopped between its last checkpoint and its end may come to its end.
    const bool own = std::find(options_.earlier.begin(), options_.earlier.end(), resumed_.path) !=
                     options_.earlier.end();
    auto step = NextStep(checkpoint, steps_per_epoch_, last_step_, /*may_be_done=*/own);
    if (!step.ok()) return step.status();
    first_step_ = saved_step_ = *step;
    if (const auto saved = checkpoint.mocopp.find("step"); saved != checkpoint.mocopp.end()) {
      (void)absl::SimpleAtoi(saved->second, &saved_step_);  // of epochs of another length, perhaps
    }
    auto counts = ReadCounts(resumed_);
    if (!counts.ok()) return counts.status();
    counts_ = *std::move(counts);
    if (first_step_ % steps_per_epoch_ != 0 &&
        counts_.epoch_sums.size() == epoch_.Numbers().size()) {
      for (size_t i = 0; i < counts_.epoch_sums.size(); ++i) {
        *epoch_.Numbers()[i] = counts_.epoch_sums[i];
      }
      epoch_.steps = first_step_ % steps_per_epoch_;
    }
    return absl::OkStatus();
  }

  absl::Status Load() {
    absl::Status s = Restore(resumed_.checkpoint, *moco_);
    resumed_.checkpoint = {};  // its tensors have been copied
    if (s.ok()) return s;
    return absl::InvalidArgumentError(absl::StrCat(
        "'", resumed_.path, "' does not fit this run: ", s.message(),
        "; give the --arch, --mlp, --moco-dim, --moco-k and --optimizer that it was made with"));
  }

  absl::Status StartLoader() {
    auto view = MakeView(*views_);
    if (!view.ok()) return view.status();
    data::LoaderOptions loader;
    loader.batch_size = options_.batch_size;
    loader.rows = views_->output().rows;
    loader.cols = views_->output().cols;
    loader.channels = views_->output().channels;
    loader.views = {*view, *view};
    loader.rank = communicator_.rank();
    loader.ranks = communicator_.size();
    if (options_.moco.keys_dealt) {
      loader.second_view_order = [seed = options_.moco.seed,
                                  n = options_.batch_size](int64_t step) {
        return ShuffleOrder(seed, step, /*direction=*/0, n);
      };
    }
    loader.seed = options_.seed;
    loader.threads = options_.loader_threads;
    loader.first_step = first_step_;
    loader.last_step = last_step_;
    loader.max_bad_images = options_.max_bad_images;
    loader.known_bad = counts_.bad_images;
    auto made = data::Loader::Create(*data_.train, loader);
    if (!made.ok()) return made.status();
    loader_ = std::move(*made);
    return absl::OkStatus();
  }

  void SayWhatItTakes() {
    const int64_t last = options_.epochs - 1, every = options_.checkpoint_every;
    const int64_t written = last / every + 1 + (last % every != 0);
    const int64_t kept = options_.keep > 0 ? std::min(options_.keep, written) : written;
    log_->Print(absl::StrFormat(
        "takes    about %s of memory; %d checkpoints of %s (%s on disk); the time "
        "is told after some steps",
        base::FormatBytes(memory_bytes_), kept, base::FormatBytes(checkpoint_bytes_),
        base::FormatBytes(kept * checkpoint_bytes_)));
    if (folder_ == nullptr) return;
    std::error_code error;
    const auto space = std::filesystem::space(folder_->path(), error);
    if (!error && space.available < kept * checkpoint_bytes_) {
      log_->Print(absl::StrCat("warning: only ", base::FormatBytes(space.available),
                               " are free in '", folder_->path(),
                               "'; lower --keep, or give another --run-dir"));
    }
  }

  // --- The run ---

  absl::Status Loop() {
    StateDict untrained;
    if (first_step_ == 0 && Monitored()) untrained = Copy(moco_->query_encoder().State());
    if (!Monitored()) log_->Print("kNN      off (--knn-every)");
    start_ = saved_at_ = Clock::now();
    for (int64_t step = first_step_; step < last_step_; ++step) {
      at_step_ = step;
      absl::Status stop = moco::StopRequested(communicator_);
      if (!stop.ok()) return Stop(step, stop);
      if (absl::Status s = Step(step); !s.ok()) return s;
      if (!untrained.empty()) {
        if (absl::Status s = EvaluateUntrained(untrained); !s.ok()) return s;
        untrained.clear();
      }
      if ((step + 1) % steps_per_epoch_ == 0) {
        if (absl::Status s = EndEpoch(step / steps_per_epoch_, step + 1); !s.ok()) return s;
      } else if (options_.checkpoint_minutes > 0 &&
                 RankZeroSays(communicator_,
                              SecondsSince(saved_at_) >= 60 * options_.checkpoint_minutes)) {
        const auto began = Clock::now();
        (void)Save(step + 1);  // said, and tried again
        seconds_beside_ += SecondsSince(began);
      }
    }
    Summarize();
    return absl::OkStatus();
  }

  // The whole run in a few lines, with what earlier sittings of it have recorded.
  void Summarize() {
    log_->Print(absl::StrFormat(
        "summary  %d epochs, %d steps; this sitting %d steps in %s, of that %s beside training",
        options_.epochs, last_step_, last_step_ - first_step_,
        base::FormatSeconds(SecondsSince(start_)), base::FormatSeconds(seconds_beside_)));
    log_->PrintTable({{"loss of an epoch", "epoch_loss"},
                      {"in % of log(1+K)", "loss_of_chance", 100},
                      {"pretext Acc@1, %", "epoch_top1", 100},
                      {"kNN, %", "knn", 100},
                      {"linear probe, %", "probe", 100},
                      {"spread of the keys", "spread"},
                      {"dimensions", "dimensions"},
                      {"leak, %", "leak", 100},
                      {"pairs/s", "pairs_per_second"},
                      {"waiting for data, %", "waiting", 100}});
  }

  absl::Status Step(int64_t step) {
    const auto began = Clock::now();
    auto batch = loader_->Next();
    if (!batch.ok()) return batch.status();
    ReportBadImages(loader_->bad_images());
    at::manual_seed(options_.seed + step + 1);  // what a plugin draws in a step (dropout)
    const int64_t epoch = step / steps_per_epoch_;
    const double lr = options_.lr * schedule_->Factor(step);
    const auto& type = views_->output();
    const MoCoOptions& m = options_.moco;
    auto metrics = moco_->Step(ViewTensor(**batch, 0, type).to(m.device, m.dtype),
                               ViewTensor(**batch, 1, type).to(m.device, m.dtype), lr, step);
    if (!metrics.ok()) return metrics.status();

    const double seconds = SecondsSince(start_) - seconds_beside_;
    const int64_t steps = step + 1 - first_step_;
    const double pairs_per_second = steps * options_.batch_size / seconds;
    const double waiting = loader_->seconds_waited() / seconds;
    const double left = SecondsLeft(step + 1, seconds / steps);
    log_->Update(absl::StrFormat(
        "epoch %d/%d step %d/%d  loss %.4f  pretext %.1f %%  %.0f pairs/s  waiting %.1f %%  %s "
        "left",
        epoch + 1, options_.epochs, step % steps_per_epoch_ + 1, steps_per_epoch_, metrics->loss,
        100 * metrics->top1, pairs_per_second, 100 * waiting, base::FormatSeconds(left)));
    if (steps == 2) {  // the first one finds out how to compute
      const std::string warning = base::SlowStepWarning(SecondsSince(began));
      if (!warning.empty()) log_->Print(warning);
    }
    if (steps == 20) {
      log_->Print(absl::StrCat("the run will take about ",
                               base::FormatSeconds(SecondsSince(start_) + left)));
    }
    if ((step + 1) % options_.print_every == 0 || step == 0) {
      log_->Metrics({{"step", step + 1},
                     {"epoch", epoch},
                     {"loss", metrics->loss},
                     {"top1", metrics->top1},
                     {"top5", metrics->top5},
                     {"lr", lr},
                     {"pairs_per_second", pairs_per_second},
                     {"waiting", waiting}});
    }
    epoch_.loss += metrics->loss;
    epoch_.top1 += metrics->top1;
    // The first steps have no two before them.
    if (step > 1) epoch_.similarities += metrics->similarities;
    ++epoch_.steps;
    return absl::OkStatus();
  }

  // Steps, and evaluations of the length that the last one had.
  double SecondsLeft(int64_t step, double seconds_a_step) const {
    int64_t evaluations = 0;
    for (int64_t e = step / steps_per_epoch_; Monitored() && e < options_.epochs; ++e) {
      evaluations += KnnIsDue(e);
    }
    return (last_step_ - step) * seconds_a_step + evaluations * monitor_seconds_;
  }

  absl::Status EndEpoch(int64_t epoch, int64_t done) {
    const auto began = Clock::now();
    std::string line =
        absl::StrFormat("epoch %d/%d  loss %.4f  pretext %.1f %%", epoch + 1, options_.epochs,
                        epoch_.loss / epoch_.steps, 100 * epoch_.top1 / epoch_.steps);
    const Health health = MeasureHealth(done);
    log_->Metrics({{"step", done},
                   {"epoch", epoch},
                   {"epoch_loss", epoch_.loss / epoch_.steps},
                   {"epoch_top1", epoch_.top1 / epoch_.steps},
                   {"loss_of_chance", health.loss},
                   {"queue_filled", health.filled},
                   {"queue_age", health.age},
                   {"spread", health.spread},
                   {"dimensions", health.dimensions},
                   {"leak", health.leak}});
    epoch_ = {};
    const bool last = epoch + 1 == options_.epochs;
    if (epoch % options_.checkpoint_every == 0 || last) {
      absl::Status saved = Save(done);
      if (last && !saved.ok()) return saved;
    }
    if (KnnIsDue(epoch)) {
      auto monitor = Evaluate(done);
      if (!monitor.ok()) {
        return base::StopRequested().ok() ? monitor.status() : Stop(done, monitor.status());
      }
      absl::StrAppend(&line, "  ", *monitor);
    }
    log_->Print(absl::StrFormat(
        "%s\n         loss %.0f %% of log(1+K), keys of the last %.2g epochs, spread %.2f in %.0f "
        "dimensions, leak %.0f %%: %s",
        line, 100 * health.loss, health.age, health.spread, health.dimensions, 100 * health.leak,
        Verdict(health)));
    seconds_beside_ += SecondsSince(began);
    return absl::OkStatus();
  }

  // After `done` steps, at an epoch's end.
  Health MeasureHealth(int64_t done) const {
    const MoCoOptions& m = options_.moco;
    const double directions = m.symmetric ? 2 : 1;
    const double keys_an_epoch = directions * options_.batch_size * steps_per_epoch_;
    const double keys = std::min<double>(m.queue_size, keys_an_epoch / steps_per_epoch_ * done);
    Health health;
    health.loss = epoch_.loss / epoch_.steps / (directions * std::log1p(m.queue_size));
    health.filled = keys / m.queue_size;
    health.age = keys / keys_an_epoch;
    MeasureSpread(moco_->queue().Newest(static_cast<int64_t>(keys)), health);
    MeasureLeak(epoch_.similarities, health);
    return health;
  }

  absl::Status Stop(int64_t step, const absl::Status& why) {
    if (step == first_step_) {
      return absl::Status(why.code(),
                          absl::StrCat(why.message(), " before the first step; nothing ",
                                       "was trained that could be saved"));
    }
    // Rank 0 knows, which writes.
    const bool saved = RankZeroSays(communicator_, step == saved_step_);
    if (absl::Status s = saved ? absl::OkStatus() : Save(step); !s.ok()) {
      return absl::Status(s.code(), absl::StrCat(why.message(), ", and ", s.message()));
    }
    if (folder_ == nullptr) {
      return absl::Status(why.code(), absl::StrCat(why.message(), " after step ", step));
    }
    const std::string folder = base::ShellQuoted(folder_->path());
    const std::string next = step == last_step_ ? "that was the last step, only its kNN is missing"
                             : communicator_.size() > 1
                                 ? "go on with: the same start, and --resume=" + folder
                                 : "go on with: bazel run //moco:pretrain -- --resume=" + folder;
    return absl::Status(why.code(), absl::StrCat(why.message(), " after step ", step,
                                                 ", checkpoint written; ", next));
  }

  // --- kNN, and the linear probe beside it ---

  bool Monitored() const { return data_.queries != nullptr && options_.knn_every > 0; }

  bool KnnIsDue(int64_t epoch) const {
    return Monitored() && ((epoch + 1) % options_.knn_every == 0 || epoch + 1 == options_.epochs);
  }

  // The kNN that a run did not come to which was stopped after its checkpoint.
  absl::Status CatchUp() {
    const int64_t epochs = first_step_ / steps_per_epoch_;
    if (first_step_ % steps_per_epoch_ != 0 || epochs == 0 || !KnnIsDue(epochs - 1) ||
        KnnRecorded(first_step_)) {
      return absl::OkStatus();
    }
    auto monitor = Evaluate(first_step_);
    if (!monitor.ok()) return monitor.status();
    log_->Print(absl::StrFormat("epoch %d/%d  %s", epochs, options_.epochs, *monitor));
    return absl::OkStatus();
  }

  bool KnnRecorded(int64_t step) const {
    const std::vector<nlohmann::json> lines = log_->Recorded("knn");
    return std::any_of(lines.begin(), lines.end(),
                       [&](const nlohmann::json& line) { return line["step"] == step; });
  }

  // Says what it has measured.
  absl::StatusOr<std::string> Evaluate(int64_t step) {
    const auto began = Clock::now();
    Encoder& encoder = moco_->query_encoder();
    communicator_.Broadcast(Tensors(encoder.State()));  // the running statistics are a rank's own
    encoder.Train(false);
    const auto features = [&](const at::Tensor& x) {
      return encoder.Features(x.to(options_.moco.device, options_.moco.dtype));
    };
    const auto extract = [&](const data::Dataset& dataset) {
      return ExtractFeatures(dataset, *eval_views_, features, options_.loader_threads,
                             options_.max_bad_images, communicator_);
    };
    auto bank = extract(*data_.bank);
    auto queries = bank.ok() ? extract(*data_.queries) : bank;
    encoder.Train(true);
    if (!queries.ok()) return queries.status();
    ReportBadImages(bank->bad_images);
    ReportBadImages(queries->bad_images);
    KnnOptions knn;
    knn.k = options_.knn_k;
    knn.temperature = options_.knn_temperature;
    knn.classes = data_.bank->classes().size();
    const at::Tensor own = communicator_.Own(queries->features);
    const at::Tensor right =
        at::tensor({own.size(0) * KnnAccuracy(bank->features, bank->labels, own,
                                              communicator_.Own(queries->labels), knn)});
    const double accuracy = communicator_.AllGather(right.view({1, 1})).sum().item<double>() /
                            queries->features.size(0);
    nlohmann::json metrics = {{"step", step}, {"knn", accuracy}};
    std::string said = absl::StrFormat("kNN %.1f %%", 100 * accuracy);
    if (options_.probe) {  // every rank does the same
      const double probe = OnlineProbeAccuracy(bank->features, bank->labels, queries->features,
                                               queries->labels, knn.classes, options_.seed);
      metrics["probe"] = probe;
      absl::StrAppendFormat(&said, "  probe %.1f %%", 100 * probe);
    }
    log_->Metrics(metrics);
    monitor_seconds_ = SecondsSince(began);
    return said;
  }

  // The first loss should not wait for this, so the initial weights are put back for a moment.
  absl::Status EvaluateUntrained(const StateDict& untrained) {
    const auto began = Clock::now();
    const StateDict live = moco_->query_encoder().State();
    const StateDict trained = Copy(live);
    if (absl::Status s = CopyState(untrained, live); !s.ok()) return s;
    auto monitor = Evaluate(0);
    if (absl::Status s = CopyState(trained, live); !s.ok()) return s;
    // Stopped after the first step, it would go on without this number: better it starts anew.
    if (!monitor.ok()) {
      return base::StopRequested().ok() ? monitor.status() : Stop(first_step_, monitor.status());
    }
    log_->Print(absl::StrFormat("monitor  %s with the untrained encoder (k %d, t %g)", *monitor,
                                options_.knn_k, options_.knn_temperature));
    seconds_beside_ += SecondsSince(began);
    return absl::OkStatus();
  }

  // --- What is written ---

  absl::Status Save(int64_t done) {
    absl::Status same =
        CheckSameTensors(communicator_, moco_->SharedState(), "the encoders or the queue", done);
    if (!same.ok()) return same;
    for (const data::BadImage& image : loader_->bad_images()) {
      counts_.bad_images.insert(image.index);
    }
    counts_.bad_images = Union(communicator_, counts_.bad_images);
    saved_at_ = Clock::now();
    if (folder_ == nullptr) return absl::OkStatus();
    Checkpoint c;
    c.epoch = done / steps_per_epoch_;
    c.arch = options_.moco.encoder.backbone.substr(0, options_.moco.encoder.backbone.find(':'));
    Capture(*moco_, c);
    c.optimizer.lr = options_.lr * schedule_->Factor(done - 1);
    for (const auto& [flag, value] : SettingsOfRun().All()) c.mocopp[flag] = value;
    c.mocopp["run"] = run_id_;
    c.mocopp["step"] = absl::StrCat(done);
    c.mocopp["steps_per_epoch"] = absl::StrCat(steps_per_epoch_);
    counts_.epoch_sums.clear();
    for (const double* number : epoch_.Numbers()) counts_.epoch_sums.push_back(*number);
    WriteCounts(counts_, c);
    c.mocopp["eval_views"] = eval_views_->spec();

    absl::Status written = WriteCheckpoint(
        folder_->File(CheckpointName(options_.checkpoint_prefix, (done - 1) / steps_per_epoch_,
                                     (done - 1) % steps_per_epoch_ + 1, steps_per_epoch_)),
        c);
    if (!written.ok()) {
      log_->Print(absl::StrCat("warning: the checkpoint was not written, earlier ones are whole: ",
                               written.message()));
      return written;
    }
    saved_step_ = done;
    RemoveOldCheckpoints(folder_->path(), options_.keep);
    return absl::OkStatus();
  }

  void ReportBadImages(const std::vector<data::BadImage>& images) {
    for (const data::BadImage& image : images) log_->BadImage(image.name, image.why);
  }

  const TrainerOptions options_;
  const TrainerData data_;
  Communicator& communicator_;
  // Of Run(); null on ranks but the first.
  base::RunFolder* folder_ = nullptr;
  base::RunLog* log_ = nullptr;

  std::unique_ptr<augment::Pipeline> views_, eval_views_;
  std::unique_ptr<Schedule> schedule_;
  std::unique_ptr<MoCo> moco_;
  std::unique_ptr<data::Loader> loader_;
  double memory_bytes_ = 0, checkpoint_bytes_ = 0;

  int64_t steps_per_epoch_ = 0, first_step_ = 0, last_step_ = 0;
  std::string run_id_;
  ResumePoint resumed_;  // without a path: the run starts
  Counts counts_;
  int64_t at_step_ = -1;     // that is computed
  int64_t saved_step_ = -1;  // of the newest checkpoint
  Clock::time_point start_, saved_at_;
  double seconds_beside_ = 0;   // of kNN and checkpoints, which are not training
  double monitor_seconds_ = 0;  // of the last evaluation
  struct Sums {                 // over the epoch's steps so far
    double loss = 0, top1 = 0;
    Similarities similarities;
    int64_t steps = 0;

    std::vector<double*> Numbers() {
      return {&loss, &top1, &similarities.own, &similarities.batch, &similarities.earlier};
    }
  } epoch_;
};

}  // namespace

absl::StatusOr<TrainerOptions> Canonical(TrainerOptions options) {
  const std::pair<const registry::Table&, std::string&> specs[] = {
      {Backbones(), options.moco.encoder.backbone},
      {Heads(), options.moco.encoder.head},
      {Losses(), options.moco.loss},
      {Optimizers(), options.moco.optimizer},
      {Schedules(), options.schedule}};
  for (const auto& [table, spec] : specs) {
    auto canonical = table.Canonical(spec);
    if (!canonical.ok()) return canonical.status();
    spec = *canonical;
  }
  for (std::string* views : {&options.views, &options.eval_views}) {
    auto pipeline =
        augment::Pipeline::Create(*views, *ImageChannels(options.moco.encoder.backbone));
    if (!pipeline.ok()) return pipeline.status();
    *views = pipeline->spec();
  }
  return options;
}

absl::StatusOr<std::unique_ptr<Trainer>> Trainer::Create(const TrainerOptions& options,
                                                         const TrainerData& data,
                                                         Communicator& communicator) {
  auto canonical = Canonical(options);
  if (!canonical.ok()) return canonical.status();
  canonical->moco.keys_dealt = canonical->shuffle == "deal" && communicator.size() > 1;
  auto trainer = std::make_unique<TrainerImpl>(*canonical, data, communicator);
  if (absl::Status s = trainer->Prepare(); !s.ok()) return s;
  return trainer;
}

}  // namespace moco
