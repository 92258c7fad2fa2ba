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
#include "moco/backbones/backbone.h"
#include "moco/training/device_views.h"
#include "moco/training/epoch.h"
#include "moco/training/evaluations.h"
#include "moco/training/images.h"
#include "moco/training/initial_weights.h"
#include "moco/training/training_state.h"

namespace moco {
namespace {

// The functions are in the order in which a run calls them.
class TrainerImpl : public Trainer, private TrainingTask {
 public:
  TrainerImpl(const TrainerOptions& options, const TrainerData& data, Communicator& communicator)
      : options_(options),
        data_(data),
        communicator_(communicator),
        run_(PretrainingKind(), options, communicator, *this) {}

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
    return run_.FindStart(SettingsOf(options_, *data_.train, communicator_.size()),
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
    evaluations_ = std::make_unique<Evaluations>(
        options_, MonitorData{data_.train, data_.bank, data_.queries, data_.held_out}, *views_,
        *eval_views_, communicator_, run_);
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
    return evaluations_->Begin(moco_->query_encoder());
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
      epoch_.Add((*steps)[i], newest_step_ - count + 1 + i);
    }
    const StepMetrics& newest = steps->back();
    run_.Report(newest_step_, newest_lr_, count * options_.batch_size,
                absl::StrFormat("loss %.4f  pretext %.1f %%", newest.loss, 100 * newest.top1),
                {{"loss", newest.loss}, {"top1", newest.top1}, {"top5", newest.top5}});
    return run_.BesideTraining(
        [&] { return evaluations_->EvaluateUntrained(moco_->query_encoder()); });
  }

  absl::Status EndEpoch(int64_t epoch, int64_t done) override {
    const EpochResult result =
        ResultOf(epoch_, *moco_, options_.moco, options_.batch_size, done, run_.steps_per_epoch());
    nlohmann::json line = result.Metrics();
    line["step"] = done;
    line["epoch"] = epoch;
    run_.log().Metrics(line);
    epoch_ = {};
    const bool last = epoch + 1 == options_.epochs;
    if (epoch % options_.checkpoint_every == 0 || last) {
      absl::Status saved = Save(done);
      if (last && !saved.ok()) return saved;
    }
    auto evaluated = evaluations_->EndEpoch(moco_->query_encoder(), epoch, done);
    if (!evaluated.ok()) return evaluated.status();
    run_.log().Print(absl::StrFormat(
        "epoch %d/%d  %s%s\n         %s", epoch + 1, options_.epochs, result.MeansText(),
        *evaluated, result.HealthText(evaluations_->Judge(Verdict(result.health)))));
    return absl::OkStatus();
  }

  double SecondsOfEpochEnds(int64_t step) const override {
    return evaluations_->SecondsFrom(step / run_.steps_per_epoch());
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

  std::vector<double*> EpochSums() override { return epoch_.Numbers(); }

  void Summarize() override { run_.log().PrintTable(PretrainingSummary()); }

  const TrainerOptions options_;
  const TrainerData data_;
  Communicator& communicator_;
  TrainingRun run_;

  std::unique_ptr<augment::Pipeline> views_, eval_views_;
  std::unique_ptr<DeviceViews> device_views_;
  std::unique_ptr<Evaluations> evaluations_;
  std::unique_ptr<MoCo> moco_;
  Footprint footprint_;
  std::string initial_;      // what was taken of options_.initial
  int64_t newest_step_ = 0;  // the last one begun
  double newest_lr_ = 0;
  moco::EpochSums epoch_;
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
