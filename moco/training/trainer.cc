#include "moco/training/trainer.h"

#include <ATen/Context.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "augment/augmentation.h"
#include "base/progress.h"
#include "base/run_log.h"
#include "base/signals.h"
#include "moco/backbones/backbone.h"
#include "moco/communicators/agreement.h"
#include "moco/health.h"
#include "moco/losses/loss.h"
#include "moco/measures/measure_names.h"
#include "moco/report/sample.h"
#include "moco/training/device_views.h"
#include "moco/training/images.h"
#include "moco/training/initial_weights.h"
#include "moco/training/monitor.h"
#include "moco/training/report_sample.h"
#include "moco/training/training_state.h"

namespace moco {
namespace {

const RunKind& Kind() {
  // The columns are the metrics of a step, of an epoch, and of the monitor.
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

// The functions are in the order in which a run calls them.
class TrainerImpl : public Trainer, private TrainingTask {
 public:
  TrainerImpl(const TrainerOptions& options, const TrainerData& data, Communicator& communicator)
      : options_(options),
        data_(data),
        communicator_(communicator),
        run_(Kind(), options, communicator, *this) {}

  // Checks everything, the cheapest first. The loader fills its first batches while the encoders
  // are made.
  absl::Status Prepare() {
    if (absl::Status s = Check(); !s.ok()) return s;
    // Printed before anything large is allocated, because a process that runs out of memory prints
    // nothing afterwards. With a GPU, the estimate is for the GPU's memory.
    const std::string warning = options_.moco.device.is_cpu() ? MemoryWarning(footprint_) : "";
    if (!warning.empty()) base::Progress().Print(warning);

    if (absl::Status s = FindStart(); !s.ok()) return s;
    if (absl::Status s = StartLoader(); !s.ok()) return s;
    at::manual_seed(options_.seed);  // initial values
    auto moco = MoCo::Create(options_.moco, communicator_);
    if (!moco.ok()) return moco.status();
    moco_ = std::move(*moco);
    if (options_.initial != nullptr) {
      auto taken = ::moco::Load(*options_.initial, *moco_);
      if (!taken.ok()) return taken.status();
      initial_ = *std::move(taken);
    }
    return run_.ShareStart();
  }

  absl::StatusOr<RunPlan> Plan() {
    if (absl::Status s = Check(); !s.ok()) return s;
    if (absl::Status s = FindStart(); !s.ok()) return s;
    return RunPlan{
        options_,          *views_,         footprint_, CheckpointsLeft(), run_.steps_per_epoch(),
        run_.first_step(), run_.last_step()};
  }

  absl::Status Run(base::RunFolder* folder) override { return run_.Run(folder); }

 private:
  // --- Before the first batch ---

  absl::Status Check() {
    if (absl::Status s = CheckSplits(); !s.ok()) return s;
    if (absl::Status s = CreateViews(); !s.ok()) return s;
    if (absl::Status s = run_.Plan(data_.train->size(), /*drop_last=*/true); !s.ok()) return s;
    auto footprint = MeasureFootprint(options_.moco, views_->output(),
                                      1.0 * options_.batch_size / communicator_.size());
    if (!footprint.ok()) return footprint.status();
    footprint_ = *footprint;
    return absl::OkStatus();
  }

  absl::Status FindStart() {
    return run_.FindStart(SettingsOf(options_, data_.train->size(), communicator_.size()),
                          FurtherSettingsOf(options_));
  }

  int64_t CheckpointsLeft() const {
    const int64_t last = options_.epochs - 1, every = options_.checkpoint_every;
    const int64_t written = last / every + 1 + (last % every != 0);
    return options_.keep > 0 ? std::min(options_.keep, written) : written;
  }

  absl::Status CheckSplits() const {
    const int64_t splits = options_.moco.encoder.bn_splits, micro = options_.moco.accumulate;
    const int64_t ranks = communicator_.size();
    if (options_.batch_size % (ranks * micro * splits) == 0) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("--batch-size ", options_.batch_size, " cannot be split into ",
                     ranks > 1 ? absl::StrCat("equal shares of ", ranks, " ranks, of ") : "",
                     micro > 1 ? absl::StrCat("--accumulate ", micro, " micro-batches of ") : "",
                     "--bn-splits ", splits, " equal parts; make one divide the other"));
  }

  absl::Status CreateViews() {
    const int channels = *ImageChannels(options_.moco.encoder.backbone);
    for (const auto& [spec, pipeline] :
         {std::pair(&options_.views, &views_), std::pair(&options_.eval_views, &eval_views_)}) {
      auto made = augment::Pipeline::Create(*spec, channels);
      if (!made.ok()) return made.status();
      *pipeline = std::make_unique<augment::Pipeline>(*std::move(made));
      if (auto view = MakeView(**pipeline); !view.ok()) return view.status();
    }
    const MonitorOptions monitor{.knn_every = options_.knn_every,
                                 .k = options_.knn_k,
                                 .temperature = options_.knn_temperature,
                                 .probe = options_.probe,
                                 .measures_every = options_.monitor_every,
                                 .images = options_.monitor_images,
                                 .seed = options_.seed,
                                 .loader_threads = options_.loader_threads,
                                 .max_bad_images = options_.max_bad_images};
    monitor_ = std::make_unique<Monitor>(
        monitor, MonitorData{data_.train, data_.bank, data_.queries, data_.held_out}, *eval_views_,
        *views_, communicator_);
    if (run_.reports()) {
      sample_ = std::make_unique<ReportSample>(
          *data_.train, *eval_views_, options_.loader_threads,
          options_.batch_size / communicator_.size() / options_.moco.accumulate, communicator_);
    }
    return absl::OkStatus();
  }

  absl::Status StartLoader() {
    auto loader = LoaderOf(*views_, 2, options_.moco.device);
    if (!loader.ok()) return loader.status();
    if (options_.moco.keys_dealt) {
      loader->second_view_order = [seed = options_.moco.seed,
                                   n = options_.batch_size](int64_t step) {
        return ShuffleOrder(seed, step, /*direction=*/0, n);
      };
    }
    device_views_ =
        std::make_unique<DeviceViews>(*views_, options_.moco.device, options_.moco.dtype);
    return run_.StartLoader(*data_.train, *std::move(loader));
  }

  absl::Status Load(const Checkpoint& checkpoint) override {
    epoch_.steps = run_.first_step() % run_.steps_per_epoch();
    absl::Status s = Restore(checkpoint, *moco_);
    if (s.ok()) return s;
    return absl::InvalidArgumentError(
        absl::StrCat("does not fit this run: ", s.message(),
                     "; give the --arch, --mlp, --moco-dim, --moco-k and --optimizer of its run"));
  }

  std::vector<at::Tensor> State() override {
    Checkpoint state;
    Capture(*moco_, state);
    std::vector<at::Tensor> all = Tensors(state.state);
    for (const auto& [name, tensors] : state.optimizer.slots) {
      all.insert(all.end(), tensors.begin(), tensors.end());
    }
    return all;
  }

  // --- The run ---

  absl::Status BeforeSteps() override {
    const std::string folder = run_.folder() == nullptr ? "" : run_.folder()->path();
    for (const std::string& line : DescribeFootprint(footprint_, CheckpointsLeft(), folder)) {
      run_.log().Print(line);
    }
    if (run_.first_step() == 0 && !initial_.empty()) {
      run_.log().Print(absl::StrCat("init     from ", options_.initial->path, ": ", initial_,
                                    options_.initial->note.empty() ? "" : "\nnote     ",
                                    options_.initial->note));
    }
    if (!monitor_->on().knn) run_.log().Print("kNN      off (--knn-every)");
    if (monitor_->on().measures) run_.log().Print("monitor  " + monitor_->Describe());
    if (run_.first_step() == 0 && (monitor_->on().any() || sample_ != nullptr)) {
      untrained_ = Copy(moco_->query_encoder().State());
    }
    return CatchUp();
  }

  // If the run was stopped between a checkpoint and its evaluation, the evaluation follows now.
  absl::Status CatchUp() {
    const int64_t step = run_.first_step(), epochs = step / run_.steps_per_epoch();
    if (step % run_.steps_per_epoch() != 0 || epochs == 0) return absl::OkStatus();
    Monitor::Parts due = monitor_->Due(epochs - 1, options_.epochs);
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
    auto result = Evaluate(step, due);
    if (!result.ok()) return result.status();
    run_.log().Print(absl::StrFormat("epoch %d/%d%s", epochs, options_.epochs, AsText(*result)));
    return absl::OkStatus();
  }

  absl::Status Step(const data::Batch& batch, int64_t step, double lr) override {
    const MoCoOptions& m = options_.moco;
    const std::vector<at::Tensor> views = (*device_views_)(batch);
    moco_->StepAhead(views[0], views[1], lr, step);
    device_views_->Release();
    newest_step_ = step;
    newest_lr_ = lr;
    return m.device.is_cpu() ? Read() : absl::OkStatus();  // the CPU has computed it already
  }

  absl::Status Read() override {
    const auto steps = moco_->Read();
    if (!steps.ok()) return steps.status();
    if (steps->empty()) return absl::OkStatus();
    const int64_t count = steps->size();
    for (int64_t i = 0; i < count; ++i) {
      const StepMetrics& metrics = (*steps)[i];
      epoch_.loss += metrics.loss;
      epoch_.top1 += metrics.top1;
      // The first two steps have no two steps before them.
      if (newest_step_ - count + 1 + i > 1) epoch_.similarities += metrics.similarities;
      ++epoch_.steps;
    }
    const StepMetrics& newest = steps->back();
    run_.Report(newest_step_, newest_lr_, count * options_.batch_size,
                absl::StrFormat("loss %.4f  pretext %.1f %%", newest.loss, 100 * newest.top1),
                {{"loss", newest.loss}, {"top1", newest.top1}, {"top5", newest.top5}});
    if (untrained_.empty()) return absl::OkStatus();
    return run_.BesideTraining([&] { return EvaluateUntrained(); });
  }

  // The evaluation should not delay the first loss, so the initial weights are restored for it
  // after the first step.
  absl::Status EvaluateUntrained() {
    const StateDict live = moco_->query_encoder().State(), trained = Copy(live);
    if (absl::Status s = CopyState(std::exchange(untrained_, {}), live); !s.ok()) return s;
    auto result = Evaluate(0, monitor_->on());
    if (result.ok()) TakeSample(report::kSampleStart);
    if (absl::Status s = CopyState(trained, live); !s.ok()) return s;
    // If the run stopped after the first step, it would resume without this number. It is better to
    // start it again.
    if (!result.ok()) return StopOr(result.status(), run_.first_step());
    const char* encoder = options_.initial == nullptr ? "untrained" : "initial";
    if (result->knn) {
      run_.log().Print(absl::StrFormat("monitor  %s with the %s encoder (k %d, t %g)",
                                       result->Text(), encoder, options_.knn_k,
                                       options_.knn_temperature));
    }
    if (const std::string measures = result->MeasuresText(); !measures.empty()) {
      run_.log().Print(absl::StrCat("monitor  ", measures, " with the ", encoder, " encoder"));
    }
    return absl::OkStatus();
  }

  absl::Status EndEpoch(int64_t epoch, int64_t done) override {
    const double loss = epoch_.loss / epoch_.steps, top1 = epoch_.top1 / epoch_.steps;
    const Health health = MeasureHealth(done);
    nlohmann::json line = {{"step", done},
                           {"epoch", epoch},
                           {"epoch_loss", loss},
                           {"epoch_top1", top1},
                           {"queue_filled", health.filled},
                           {"queue_age", health.age},
                           {"spread", health.spread},
                           {"dimensions", health.dimensions},
                           {"leak", health.leak}};
    if (health.loss) line["loss_of_chance"] = *health.loss;
    run_.log().Metrics(line);
    epoch_ = {};
    const bool last = epoch + 1 == options_.epochs;
    if (epoch % options_.checkpoint_every == 0 || last) {
      absl::Status saved = Save(done);
      if (last && !saved.ok()) return saved;
    }
    std::string text = absl::StrFormat("epoch %d/%d  loss %.4f  pretext %.1f %%", epoch + 1,
                                       options_.epochs, loss, 100 * top1);
    if (const Monitor::Parts due = monitor_->Due(epoch, options_.epochs); due.any()) {
      auto result = Evaluate(done, due);
      if (!result.ok()) return StopOr(result.status(), done);
      text += AsText(*result);
    }
    if (sample_ != nullptr && (last || sample_->IsDue())) TakeSample(report::kSampleNow);
    run_.log().Print(absl::StrFormat(
        "%s\n         %skeys of the last %.2g epochs, spread %.2f in %.0f dimensions, leak %.0f "
        "%%: %s",
        text, health.loss ? absl::StrFormat("loss %.0f %% of chance, ", 100 * *health.loss) : "",
        health.age, health.spread, health.dimensions, 100 * health.leak, Verdict(health)));
    return absl::OkStatus();
  }

  // After `done` steps, at an epoch's end.
  Health MeasureHealth(int64_t done) const {
    const MoCoOptions& m = options_.moco;
    const double directions = m.symmetric ? 2 : 1;
    const double keys_a_step = directions * options_.batch_size;
    const double keys = std::min<double>(m.queue_size, keys_a_step * done);
    Health health;
    if (const auto chance = moco_->loss().Chance(m.queue_size)) {
      health.loss = epoch_.loss / epoch_.steps / (directions * *chance);
    }
    health.filled = keys / m.queue_size;
    health.age = keys / (keys_a_step * run_.steps_per_epoch());
    MeasureSpread(moco_->queue().Newest(static_cast<int64_t>(keys)), health);
    MeasureLeak(epoch_.similarities, health);
    return health;
  }

  // Evaluates the encoder and records the result.
  absl::StatusOr<Monitor::Result> Evaluate(int64_t step, Monitor::Parts parts) {
    auto result = monitor_->Evaluate(moco_->query_encoder(), options_.moco.device,
                                     options_.moco.dtype, parts);
    if (!result.ok()) return result.status();
    run_.ReportBadImages(result->bad_images);
    nlohmann::json line = {{"step", step}};
    if (result->knn) line["knn"] = *result->knn;
    if (result->probe) line["probe"] = *result->probe;
    for (const auto& [metric, value] : result->measures) line[metric] = value;
    if (line.size() > 1) run_.log().Metrics(line);
    return result;
  }

  // What follows "epoch 5/55": kNN on the same line, the measures on the next one.
  static std::string AsText(const Monitor::Result& result) {
    const std::string knn = result.Text(), measures = result.MeasuresText();
    return absl::StrCat(knn.empty() ? "" : "  ", knn, measures.empty() ? "" : "\n         ",
                        measures);
  }

  // The sample is for the report only: that it fails does not stop the run. A signal that has
  // interrupted it stops the run before the next step.
  void TakeSample(const char* file) {
    if (sample_ == nullptr) return;
    const absl::Status taken = sample_->Take(moco_->query_encoder(), options_.moco.device,
                                             options_.moco.dtype, run_.folder(), file);
    if (base::StopRequested().ok()) run_.log().Warn(taken);
  }

  // If a signal has interrupted an evaluation, the run ends with a checkpoint.
  absl::Status StopOr(const absl::Status& failure, int64_t done) {
    return base::StopRequested().ok() ? failure : run_.Stop(done, failure);
  }

  double SecondsOfEpochEnds(int64_t step) const override {
    double seconds = 0;
    for (int64_t e = step / run_.steps_per_epoch(); e < options_.epochs; ++e) {
      seconds += monitor_->seconds(monitor_->Due(e, options_.epochs));
    }
    return seconds;
  }

  absl::Status Save(int64_t done) override {
    const int64_t n = run_.steps_per_epoch();
    const std::string name =
        CheckpointName(options_.checkpoint_prefix, (done - 1) / n, (done - 1) % n + 1, n);
    absl::Status saved = run_.Save(name, done, moco_->SharedState(), [&] {
      Checkpoint c;
      c.arch = options_.moco.encoder.backbone.substr(0, options_.moco.encoder.backbone.find(':'));
      Capture(*moco_, c);
      c.facts.settings[kEvalViewsSetting] = options_.eval_views;
      return c;
    });
    if (saved.ok() && run_.folder() != nullptr) {
      RemoveOldCheckpoints(run_.folder()->path(), options_.keep);
    }
    return saved;
  }

  std::vector<double*> EpochSums() override {
    return {&epoch_.loss, &epoch_.top1, &epoch_.similarities.own, &epoch_.similarities.batch,
            &epoch_.similarities.earlier};
  }

  // Summarises the whole run, including what was recorded before it was resumed.
  void Summarize() override {
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
    run_.log().PrintTable(rows);
  }

  const TrainerOptions options_;
  const TrainerData data_;
  Communicator& communicator_;
  TrainingRun run_;

  std::unique_ptr<augment::Pipeline> views_, eval_views_;
  std::unique_ptr<DeviceViews> device_views_;
  std::unique_ptr<Monitor> monitor_;
  std::unique_ptr<ReportSample> sample_;  // null: the run writes no report
  std::unique_ptr<MoCo> moco_;
  Footprint footprint_;
  std::string initial_;      // what was taken of options_.initial
  StateDict untrained_;      // the initial weights, until they have been evaluated
  int64_t newest_step_ = 0;  // the last one begun
  double newest_lr_ = 0;
  struct {  // sums over the epoch's steps so far
    double loss = 0, top1 = 0;
    Similarities similarities;
    int64_t steps = 0;
  } epoch_;
};

}  // namespace

absl::StatusOr<RunPlan> Trainer::Plan(const TrainerOptions& options, const TrainerData& data,
                                      Communicator& communicator) {
  auto canonical = Canonical(options);
  if (!canonical.ok()) return canonical.status();
  return TrainerImpl(*canonical, data, communicator).Plan();
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
