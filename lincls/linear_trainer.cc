#include "lincls/linear_trainer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "augment/augmentation.h"
#include "base/files.h"
#include "base/progress.h"
#include "base/signals.h"
#include "lincls/classifier_checkpoint.h"
#include "lincls/linear_settings.h"
#include "lincls/linear_validation.h"
#include "moco/backbones/backbone.h"
#include "moco/checkpoints/optimizer_state.h"
#include "moco/checkpoints/state_dict.h"
#include "moco/report/predictions.h"
#include "moco/training/images.h"

namespace lincls {
namespace {

const moco::RunKind& Kind() {
  // The columns are the metrics of a step, and those at the end of an epoch.
  static const moco::RunKind& kind = *new moco::RunKind{
      "//lincls:lincls",
      "images",
      {"step", "epoch", "loss", "acc1", "acc5", "lr", "images_per_second", "waiting",
       "validation_loss", "validation_acc1", "validation_acc5", "best_acc1"}};
  return kind;
}

absl::Status NotFinite(absl::string_view what, int64_t step) {
  return absl::AbortedError(absl::StrCat(what, " at step ", step,
                                         "; no checkpoint follows; lower --lr, or resume from an "
                                         "earlier checkpoint"));
}

// The functions are in the order in which a run calls them.
class LinearTrainerImpl : public LinearTrainer, private moco::TrainingTask {
 public:
  LinearTrainerImpl(const LinearOptions& options, const LinearData& data, FrozenBackbone& encoder,
                    moco::Communicator& communicator)
      : options_(options),
        data_(data),
        encoder_(encoder),
        communicator_(communicator),
        run_(Kind(), options, communicator, *this) {}

  absl::Status Prepare() {
    const int channels = *moco::ImageChannels(encoder_.spec());
    auto eval_views = augment::Pipeline::Create(options_.eval_views, channels);
    if (!eval_views.ok()) return eval_views.status();
    if (auto view = moco::MakeView(*eval_views); !view.ok()) return view.status();
    auto views = augment::Pipeline::Create(options_.views, channels);
    if (!views.ok()) return views.status();
    views_ = std::make_unique<augment::Pipeline>(*std::move(views));
    if (auto view = moco::MakeView(*views_); !view.ok()) return view.status();
    if (absl::Status s = run_.Plan(data_.train.size(), /*drop_last=*/false); !s.ok()) return s;
    auto probe = MakeProbe(options_, encoder_, data_.train.classes().size(), communicator_);
    if (!probe.ok()) return probe.status();
    probe_ = std::move(*probe);
    if (absl::Status s = CheckSmallestBatch(); !s.ok()) return s;
    if (absl::Status s = run_.FindStart(
            SettingsOf(options_, data_, encoder_, views_->spec(), communicator_.size()),
            FurtherSettingsOf(options_, data_));
        !s.ok())
      return s;
    return run_.ShareStart();
  }

  absl::Status Run(base::RunFolder* folder) override { return run_.Run(folder); }

 private:
  // --- Before the first batch ---

  // Fine-tuning uses the statistics of each batch, and the last batch of an epoch may be too small
  // for that; a pass over as many images shows it. A frozen encoder accepts any number of images.
  absl::Status CheckSmallestBatch() {
    if (encoder_.frozen()) return absl::OkStatus();
    const int64_t rest = data_.train.size() % options_.batch_size;
    const int64_t last = rest == 0 ? options_.batch_size : rest;
    const int64_t images = std::max<int64_t>(1, last / communicator_.size());
    if (images > 1) return absl::OkStatus();
    const augment::ImageType& type = views_->output();
    const moco::StateDict before = moco::Copy(encoder_.State());
    const at::NoGradGuard no_grad;
    try {
      (void)encoder_.Train(at::zeros({images, type.channels, type.rows, type.cols}));
    } catch (const c10::ValueError& error) {
      return absl::InvalidArgumentError(
          absl::StrCat(error.what_without_backtrace(), "; an epoch's last batch has ", last, " of ",
                       data_.train.size(), " images, choose another --batch-size"));
    }
    return moco::CopyState(before, encoder_.State());
  }

  absl::Status Load(const moco::Checkpoint& from) override {
    const moco::StateDict encoder = BackboneState(from.state, kClassifier);
    if (!encoder_.frozen()) {
      if (absl::Status s = moco::CopyState(encoder, encoder_.State()); !s.ok()) return s;
    } else if (!moco::CheckEqual(encoder_.State(), encoder).ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("belongs to another encoder than '", options_.pretrained,
                       "'; give the --pretrained of its run",
                       from.facts.pretrained.empty() ? "" : ", ", from.facts.pretrained));
    }
    if (absl::Status s = LoadProbe(from, data_.train, *probe_); !s.ok()) return s;
    if (absl::Status s = moco::RestoreOptimizer(from.optimizer, probe_->optimizer()); !s.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("has another optimizer: ", s.message()));
    }
    validated_ = from.facts.validated;
    if (const auto best = from.numbers.find("best_acc1"); best != from.numbers.end()) {
      best_acc1_ = best->second;
    }
    return absl::OkStatus();
  }

  std::vector<at::Tensor> State() override {
    std::vector<at::Tensor> all = Weights();
    for (const auto& slot : probe_->optimizer().State()) {
      all.insert(all.end(), slot.tensors.begin(), slot.tensors.end());
    }
    return all;
  }

  // The encoder, running statistics included, and the classifier.
  std::vector<at::Tensor> Weights() const {
    std::vector<at::Tensor> all = moco::Tensors(encoder_.State());
    for (const at::Tensor& t : moco::Tensors(probe_->State())) all.push_back(t);
    return all;
  }

  // --- The run ---

  absl::Status BeforeSteps() override {
    // If the encoder is frozen, these features serve all epochs. Otherwise they show whether the
    // images can be read.
    if (absl::Status s = ComputeValidationFeatures(); !s.ok()) return s;
    auto loader = moco::LoaderOf(*views_, 1);
    if (!loader.ok()) return loader.status();
    loader->drop_last = false;
    if (absl::Status s = run_.StartLoader(data_.train, *std::move(loader)); !s.ok()) return s;
    DescribeFootprint();
    base::CatchStopSignals();  // until now signals end the program, since nothing can be saved
    if (validated_) return absl::OkStatus();
    // A signal came during the validation of the last epoch.
    const int64_t done = run_.first_step();
    return EndEpoch(done / run_.steps_per_epoch() - 1, done);
  }

  absl::Status ComputeValidationFeatures() {
    const auto began = std::chrono::steady_clock::now();
    ShareStatistics();
    auto features = ValidationFeatures(options_, data_.validation, encoder_, communicator_);
    if (!features.ok()) return features.status();
    validation_ = *std::move(features);
    run_.ReportBadImages(validation_.bad_images);
    validation_seconds_ = base::SecondsSince(began);
    return absl::OkStatus();
  }

  // Each rank has the running statistics of its own batches, and the checkpoint has those of rank
  // 0. All ranks use these, so that the validated weights are the saved ones.
  void ShareStatistics() {
    if (!encoder_.frozen()) communicator_.Broadcast(moco::Tensors(encoder_.State()));
  }

  void DescribeFootprint() {
    double checkpoint = 0;
    for (const at::Tensor& t : moco::Tensors(encoder_.State())) checkpoint += t.nbytes();
    for (const at::Tensor& t : moco::Tensors(probe_->State())) checkpoint += 2.0 * t.nbytes();
    for (const at::Tensor& t : encoder_.Parameters()) checkpoint += t.nbytes();
    const augment::ImageType& type = views_->output();
    const double batch = 4.0 * type.channels * type.rows * type.cols * options_.batch_size;
    run_.log().Print(absl::StrFormat(
        "needs    about %s of memory; 2 checkpoints of %s; an estimate of the time follows after "
        "20 "
        "steps",
        base::FormatBytes(base::PeakBytes() + 3 * batch), base::FormatBytes(checkpoint)));
  }

  absl::Status Step(const data::Batch& batch, int64_t step, double lr) override {
    const augment::ImageType& type = views_->output();
    at::Tensor features, labels;
    if (batch.size > 0) {
      features = encoder_.Train(moco::ViewTensor(batch, 0, *views_));
      labels = at::tensor(batch.labels, at::kLong);
    } else {  // this rank has no image of the last batch
      features = encoder_.TrainOnNothing(at::zeros({1, type.channels, type.rows, type.cols}));
      labels = at::zeros({1}, at::kLong);
    }
    auto metrics = probe_->Step(features, labels, batch.size, lr);
    if (!metrics.ok()) return NotFinite(metrics.status().message(), step);
    const int64_t first = step % run_.steps_per_epoch() * options_.batch_size;
    const int64_t images = std::min(options_.batch_size, data_.train.size() - first);
    epoch_.loss += images * metrics->loss;
    epoch_.acc1 += images * metrics->acc1;
    epoch_.images += images;
    run_.Report(step, lr, images,
                absl::StrFormat("loss %.4f  Acc@1 %.1f %%  Acc@5 %.1f %%", metrics->loss,
                                100 * metrics->acc1, 100 * metrics->acc5),
                {{"loss", metrics->loss}, {"acc1", metrics->acc1}, {"acc5", metrics->acc5}});
    return absl::OkStatus();
  }

  absl::Status EndEpoch(int64_t epoch, int64_t done) override {
    if (!encoder_.frozen()) {
      absl::Status s = ComputeValidationFeatures();
      validated_ = s.ok();
      if (!s.ok()) return base::StopRequested().ok() ? s : run_.Stop(done, s);
    }
    const moco::ProbeMetrics metrics = probe_->Evaluate(validation_.features, validation_.labels);
    if (!std::isfinite(metrics.loss)) {
      return NotFinite(absl::StrCat("the validation loss is ", metrics.loss), done - 1);
    }
    const std::string training =
        epoch_.images == 0  // before the run was resumed
            ? ""
            : absl::StrFormat("  loss %.4f  training Acc@1 %.1f %%", epoch_.loss / epoch_.images,
                              100 * epoch_.acc1 / epoch_.images);
    run_.log().Print(absl::StrFormat("epoch %d/%d%s  validation Acc@1 %.1f %%  Acc@5 %.1f %%",
                                     epoch + 1, options_.epochs, training, 100 * metrics.acc1,
                                     100 * metrics.acc5));
    run_.log().Metrics({{"step", done},
                        {"epoch", epoch},
                        {"validation_loss", metrics.loss},
                        {"validation_acc1", metrics.acc1},
                        {"validation_acc5", metrics.acc5},
                        {"best_acc1", std::max(metrics.acc1, best_acc1_ / 100)}});
    epoch_ = {};
    // The best one is written first, so that it exists whenever the other one refers to it.
    absl::Status saved;
    if (const double acc1 = 100 * metrics.acc1; epoch == 0 || acc1 > best_acc1_) {
      const double before = std::exchange(best_acc1_, acc1);
      saved = SaveAs(kBestCheckpoint, done);
      if (!saved.ok()) best_acc1_ = before;
      if (saved.ok() && run_.folder() != nullptr) WritePredictions();
    }
    if (absl::Status s = Save(done); saved.ok()) saved = s;
    const bool last = epoch + 1 == options_.epochs;
    return last || absl::IsInternal(saved) ? saved : absl::OkStatus();
  }

  // For the report.
  void WritePredictions() {
    run_.log().Warn(base::WriteFileAtomically(
        run_.folder()->File(report::kPredictionsFile),
        report::PredictionsCsv(
            PredictionsOf(*probe_, validation_, data_.validation, data_.train.classes()))));
  }

  double SecondsOfEpochEnds(int64_t step) const override {
    if (encoder_.frozen()) return 0;
    return (options_.epochs - step / run_.steps_per_epoch()) * validation_seconds_;
  }

  absl::Status Save(int64_t done) override { return SaveAs(kLastCheckpoint, done); }

  absl::Status SaveAs(const std::string& name, int64_t done) {
    if (absl::Status s = encoder_.CheckUnchanged(); !s.ok()) {
      return absl::InternalError(absl::StrCat("the encoder is not frozen: ", s.message()));
    }
    if (done % run_.steps_per_epoch() != 0 || !validated_) ShareStatistics();
    return run_.Save(name, done, Weights(), [&] {
      moco::Checkpoint c = ClassifierCheckpoint(encoder_, *probe_, options_.eval_views,
                                                data_.train.classes(), options_.pretrained);
      c.numbers["best_acc1"] = best_acc1_;
      c.facts.validated = validated_;
      return c;
    });
  }

  std::vector<double*> EpochSums() override { return {&epoch_.loss, &epoch_.acc1, &epoch_.images}; }

  void Summarize() override {
    run_.log().PrintTable({{"validation loss", "validation_loss"},
                           {"validation Acc@1, %", "validation_acc1", 100},
                           {"validation Acc@5, %", "validation_acc5", 100},
                           {"training loss", "loss"},
                           {"training Acc@1, %", "acc1", 100},
                           {"images/s", "images_per_second"},
                           {"waiting for data, %", "waiting", 100}});
    if (run_.folder() == nullptr) return;
    run_.log().Print(absl::StrFormat("best     Acc@1 %.1f %%: %s", best_acc1_,
                                     run_.folder()->File(kBestCheckpoint)));
    if (encoder_.frozen()) {
      run_.log().Print(
          absl::StrFormat("frozen   the encoder's %d tensors are bit-equal to those of %s",
                          encoder_.State().size(), options_.pretrained));
    }
  }

  const LinearOptions options_;
  const LinearData data_;
  FrozenBackbone& encoder_;
  moco::Communicator& communicator_;
  moco::TrainingRun run_;

  std::unique_ptr<augment::Pipeline> views_;
  std::unique_ptr<moco::LinearProbe> probe_;
  moco::Features validation_;
  double validation_seconds_ = 0;

  bool validated_ = true;  // after the last complete epoch
  double best_acc1_ = 0;   // percent, as in the checkpoint
  struct {                 // sums over the epoch's images so far
    double loss = 0, acc1 = 0, images = 0;
  } epoch_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<LinearTrainer>> LinearTrainer::Create(
    const LinearOptions& options, const LinearData& data, FrozenBackbone& encoder,
    moco::Communicator& communicator) {
  auto trainer = std::make_unique<LinearTrainerImpl>(options, data, encoder, communicator);
  if (absl::Status s = trainer->Prepare(); !s.ok()) return s;
  return trainer;
}

}  // namespace lincls
