#include "lincls/linear_trainer.h"

#include <ATen/Parallel.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "augment/augmentation.h"
#include "base/files.h"
#include "base/progress.h"
#include "base/run_log.h"
#include "base/signals.h"
#include "data/loader.h"
#include "lincls/classifier_checkpoint.h"
#include "moco/backbones/backbone.h"
#include "moco/checkpoints/optimizer_state.h"
#include "moco/checkpoints/resume.h"
#include "moco/communicators/agreement.h"
#include "moco/schedules/schedule.h"
#include "moco/training/images.h"
#include "moco/training/run_description.h"
#include "registry/options.h"

namespace lincls {
namespace {

using Clock = std::chrono::steady_clock;

// Of metrics.csv: a step's numbers, and those of an epoch's end.
const std::vector<std::string> kColumns = {"step",
                                           "epoch",
                                           "loss",
                                           "acc1",
                                           "acc5",
                                           "lr",
                                           "images_per_second",
                                           "waiting",
                                           "validation_loss",
                                           "validation_acc1",
                                           "validation_acc5",
                                           "best_acc1"};

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// These views are not random: while the encoder is frozen, the features are the same after every
// epoch.
absl::StatusOr<moco::Features> ValidationFeatures(const LinearOptions& options,
                                                  const data::Dataset& validation,
                                                  const FrozenBackbone& encoder,
                                                  moco::Communicator& communicator) {
  const int channels = *moco::ImageChannels(encoder.spec());
  auto views = augment::Pipeline::Create(options.eval_views, channels);
  if (!views.ok()) return views.status();
  base::Progress progress;
  int64_t seen = 0;
  const auto network = [&](const at::Tensor& images) {
    seen += images.size(0);
    progress.Update(
        absl::StrCat("features of the validation images: ", seen, "/", validation.size()));
    return encoder(images);
  };
  return moco::ExtractFeatures(validation, *views, network, options.loader_threads,
                               options.max_bad_images, communicator);
}

absl::StatusOr<std::unique_ptr<moco::LinearProbe>> MakeProbe(const LinearOptions& options,
                                                             const FrozenBackbone& encoder,
                                                             int64_t classes,
                                                             moco::Communicator& communicator) {
  return moco::LinearProbe::Create({.features = encoder.feature_dim(),
                                    .classes = classes,
                                    .momentum = options.momentum,
                                    .weight_decay = options.weight_decay,
                                    .seed = options.seed,
                                    .device = encoder.device(),
                                    .below = encoder.Parameters()},
                                   communicator);
}

// Errors are to be read after the checkpoint's name.
absl::Status LoadProbe(const moco::Checkpoint& checkpoint, const data::Dataset& dataset,
                       const moco::LinearProbe& probe) {
  const auto classes = checkpoint.mocopp.find("classes");
  if (classes != checkpoint.mocopp.end() && classes->second != ClassNames(dataset.classes())) {
    return absl::InvalidArgumentError(absl::StrCat("was trained on the classes ", classes->second,
                                                   ", the data have ",
                                                   ClassNames(dataset.classes())));
  }
  absl::Status s = moco::CopyState(moco::Below(checkpoint.state, absl::StrCat(kClassifier, "fc.")),
                                   probe.State());
  if (s.ok()) return s;
  return absl::InvalidArgumentError(absl::StrCat("does not hold this data's classifier below '",
                                                 kClassifier, "fc.': ", s.message()));
}

class LinearTrainerImpl : public LinearTrainer {
 public:
  LinearTrainerImpl(const LinearOptions& options, const LinearData& data, FrozenBackbone& encoder,
                    moco::Communicator& communicator)
      : options_(options), data_(data), encoder_(encoder), communicator_(communicator) {}

  absl::Status Prepare() {
    // The loader would make one smaller batch of all images, which is not what was asked for.
    if (options_.batch_size > data_.train.size()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "a batch of ", options_.batch_size, " cannot be filled from ", data_.train.size(),
          " images; set --batch-size to 1 to ", data_.train.size()));
    }
    const int channels = *moco::ImageChannels(encoder_.spec());
    auto views = augment::Pipeline::Create(options_.views, channels);
    if (!views.ok()) return views.status();
    views_ = std::make_unique<augment::Pipeline>(*std::move(views));
    auto eval_views = augment::Pipeline::Create(options_.eval_views, channels);
    if (!eval_views.ok()) return eval_views.status();
    for (const augment::Pipeline* p : {views_.get(), &*eval_views}) {
      if (auto view = moco::MakeView(*p); !view.ok()) return view.status();
    }
    steps_per_epoch_ = (data_.train.size() + options_.batch_size - 1) / options_.batch_size;
    auto schedule = moco::Schedules().Create(
        options_.schedule, moco::ScheduleContext{options_.epochs, steps_per_epoch_});
    if (!schedule.ok()) return schedule.status();
    schedule_ = std::move(*schedule);
    auto probe = MakeProbe(options_, encoder_, data_.train.classes().size(), communicator_);
    if (!probe.ok()) return probe.status();
    probe_ = std::move(*probe);
    last_step_ = options_.epochs * steps_per_epoch_;
    first_step_ = options_.start_epoch * steps_per_epoch_;
    run_id_ = moco::NewRunId(SettingsOfRun().All());
    if (absl::Status s = moco::CheckSameSettings(communicator_, SettingsOfRanks()); !s.ok())
      return s;
    if (options_.resume.empty()) return ShareState();
    auto found = moco::FindResumePoint(options_.resume, options_.earlier);
    if (!found.ok()) return found.status();
    resumed_ = *std::move(found);
    absl::Status s = Resume();
    resumed_.checkpoint = {};  // its tensors have been copied
    if (s.ok()) return ShareState();
    return absl::Status(s.code(), absl::StrCat("'", resumed_.path, "' ", s.message()));
  }

  absl::Status Run(base::RunFolder* folder) override {
    return moco::UntilAPeerIsLost([&] { return RunAll(folder); }, at_step_);
  }

 private:
  absl::Status RunAll(base::RunFolder* folder) {
    folder_ = folder;
    base::RunLog log(folder, kColumns);
    log_ = &log;
    log.Start(first_step_);
    if (!resumed_.path.empty()) {
      if (folder_ == nullptr) resumed_.damaged.clear();  // rank 0 puts them aside
      for (const std::string& line : moco::StartResumed(resumed_, first_step_, steps_per_epoch_,
                                                        last_step_, options_.force)) {
        log.Print(line);
      }
    }
    auto features = ValidationFeatures(options_, data_.validation, encoder_, communicator_);
    if (!features.ok()) return features.status();
    validation_ = *std::move(features);
    ReportBadImages(validation_.bad_images);
    if (absl::Status s = StartLoader(); !s.ok()) return s;
    SayWhatItTakes();
    base::CatchStopSignals();  // before there is anything to save, they end the program at once
    return Loop();
  }

  // --- Before the first batch ---

  moco::RunSettings SettingsOfRun() const {
    moco::RunSettings settings;
    settings.identity = {{"program", "lincls"},
                         {"arch", encoder_.spec()},
                         {"batch-size", absl::StrCat(options_.batch_size)},
                         {"seed", absl::StrCat(options_.seed)},
                         {"finetune", encoder_.frozen() ? "false" : "true"}};
    settings.forceable = {{"views", views_->spec()},
                          {"data", absl::StrCat(data_.train.size(), " images")}};
    settings.changeable = {{"lr", registry::WriteValue(options_.lr)},
                           {"schedule", moco::Schedules().Canonical(options_.schedule).value()},
                           {"momentum", registry::WriteValue(options_.momentum)},
                           {"weight-decay", registry::WriteValue(options_.weight_decay)},
                           {"epochs", absl::StrCat(options_.epochs)},
                           {"ranks", absl::StrCat(communicator_.size())},
                           {"threads", absl::StrCat(at::get_num_threads())},
                           {"cpu", moco::CpuForResults()},
                           {"device", c10::DeviceTypeName(encoder_.device().type(),
                                                          /*lower_case=*/true)}};
    return settings;
  }

  // What must be the same on every rank.
  moco::Settings SettingsOfRanks() const {
    const moco::RunSettings run = SettingsOfRun();
    moco::Settings settings = run.identity;
    settings.insert(settings.end(), run.forceable.begin(), run.forceable.end());
    for (const auto& setting : run.changeable) {
      if (setting.first != "threads" && setting.first != "cpu") settings.push_back(setting);
    }
    settings.insert(settings.end(),
                    {{"eval-views", options_.eval_views},
                     {"classes", ClassNames(data_.train.classes())},
                     {"validation", absl::StrCat(data_.validation.size(), " images")}});
    return settings;
  }

  // The same start for all ranks, whatever each has drawn or read.
  absl::Status ShareState() {
    std::vector<at::Tensor> all;
    for (const auto& [name, tensor] : encoder_.State()) all.push_back(tensor);
    for (const auto& [name, tensor] : probe_->State()) all.push_back(tensor);
    for (const auto& slot : probe_->optimizer().State()) {
      all.insert(all.end(), slot.tensors.begin(), slot.tensors.end());
    }
    absl::Status s = moco::CheckSameSettings(
        communicator_, {{"resume (its checkpoint must be readable on every machine)",
                         absl::StrCat("step ", first_step_, " of ", run_id_)}});
    if (!s.ok()) return s;
    communicator_.Broadcast(all);
    return moco::CheckSameTensors(communicator_, all, "the initial values", first_step_);
  }

  // Errors are to be read after the checkpoint's name.
  absl::Status Resume() {
    const moco::Checkpoint& from = resumed_.checkpoint;
    absl::Status checked = moco::CheckRun(SettingsOfRun(), options_.force, resumed_);
    if (!checked.ok()) return checked;
    run_id_ = moco::RunId(from);
    const moco::StateDict encoder = BackboneState(from.state, kClassifier);
    if (!encoder_.frozen()) {
      if (absl::Status s = moco::CopyState(encoder, encoder_.State()); !s.ok()) return s;
    } else if (!moco::CheckEqual(encoder_.State(), encoder).ok()) {
      const auto theirs = from.mocopp.find("pretrained");
      return absl::InvalidArgumentError(absl::StrCat(
          "is of another encoder than '", options_.pretrained, "'; give the --pretrained that it ",
          "was made with", theirs == from.mocopp.end() ? "" : ", " + theirs->second));
    }
    if (absl::Status s = LoadProbe(from, data_.train, *probe_); !s.ok()) return s;
    if (absl::Status s = moco::RestoreOptimizer(from.optimizer, probe_->optimizer()); !s.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("has another optimizer: ", s.message()));
    }
    const auto validated = from.mocopp.find("validated");
    validated_ = validated == from.mocopp.end() || validated->second == "true";
    // A run that was stopped between its last checkpoint and its end may come to its end.
    const bool own = std::find(options_.earlier.begin(), options_.earlier.end(), resumed_.path) !=
                     options_.earlier.end();
    auto step = moco::NextStep(from, steps_per_epoch_, last_step_, own || !validated_);
    if (!step.ok()) return step.status();
    first_step_ = *step;
    if (const auto best = from.numbers.find("best_acc1"); best != from.numbers.end()) {
      best_acc1_ = best->second;
    }
    auto counts = moco::ReadCounts(resumed_);
    if (!counts.ok()) return counts.status();
    counts_ = *std::move(counts);
    if (first_step_ % steps_per_epoch_ != 0 && counts_.epoch_sums.size() == 3) {
      epoch_.loss = counts_.epoch_sums[0];
      epoch_.acc1 = counts_.epoch_sums[1];
      epoch_images_ = counts_.epoch_sums[2];
    }
    return absl::OkStatus();
  }

  absl::Status StartLoader() {
    auto view = moco::MakeView(*views_);
    if (!view.ok()) return view.status();
    data::LoaderOptions loader;
    loader.batch_size = options_.batch_size;
    loader.rows = views_->output().rows;
    loader.cols = views_->output().cols;
    loader.channels = views_->output().channels;
    loader.views = {*view};
    loader.rank = communicator_.rank();
    loader.ranks = communicator_.size();
    loader.drop_last = false;
    loader.seed = options_.seed;
    loader.threads = options_.loader_threads;
    loader.first_step = first_step_;
    loader.last_step = last_step_;
    loader.max_bad_images = options_.max_bad_images;
    loader.known_bad = counts_.bad_images;
    auto made = data::Loader::Create(data_.train, loader);
    if (!made.ok()) return made.status();
    loader_ = std::move(*made);
    return absl::OkStatus();
  }

  // The features of the validation images have just been computed, so that memory is known.
  void SayWhatItTakes() {
    double checkpoint = 0;
    for (const auto& [name, tensor] : encoder_.State()) checkpoint += tensor.nbytes();
    for (const auto& [name, tensor] : probe_->State()) checkpoint += 2.0 * tensor.nbytes();
    for (const at::Tensor& p : encoder_.Parameters()) checkpoint += p.nbytes();
    const double batch = 12.0 * views_->output().rows * views_->output().cols * options_.batch_size;
    log_->Print(absl::StrFormat(
        "takes    about %s of memory; 2 checkpoints of %s; the time is told after some steps",
        base::FormatBytes(base::PeakBytes() + 3 * batch), base::FormatBytes(checkpoint)));
  }

  // --- The run ---

  absl::Status Loop() {
    start_ = Clock::now();
    if (!validated_) {  // the stop came then
      absl::Status s = EndEpoch(first_step_ / steps_per_epoch_ - 1, first_step_);
      if (!s.ok()) return s;
    }
    for (int64_t step = first_step_; step < last_step_; ++step) {
      at_step_ = step;
      absl::Status stop = moco::StopRequested(communicator_);
      if (!stop.ok()) return Stop(step, stop);
      if (absl::Status s = Step(step); !s.ok()) return s;
      if ((step + 1) % steps_per_epoch_ == 0) {
        if (absl::Status s = EndEpoch(step / steps_per_epoch_, step + 1); !s.ok()) return s;
      }
    }
    log_->Print(absl::StrFormat("summary  %d epochs, %d steps; this sitting %d steps in %s",
                                options_.epochs, last_step_, last_step_ - first_step_,
                                base::FormatSeconds(SecondsSince(start_))));
    log_->PrintTable({{"validation loss", "validation_loss"},
                      {"validation Acc@1, %", "validation_acc1", 100},
                      {"validation Acc@5, %", "validation_acc5", 100},
                      {"training loss", "loss"},
                      {"training Acc@1, %", "acc1", 100},
                      {"images/s", "images_per_second"},
                      {"waiting for data, %", "waiting", 100}});
    if (folder_ == nullptr) return absl::OkStatus();
    log_->Print(
        absl::StrFormat("best     Acc@1 %.1f %%: %s", best_acc1_, folder_->File(kBestCheckpoint)));
    if (encoder_.frozen()) {
      log_->Print(absl::StrFormat("frozen   the encoder's %d tensors are bit-equal to those of %s",
                                  encoder_.State().size(), options_.pretrained));
    }
    return absl::OkStatus();
  }

  absl::Status Step(int64_t step) {
    const auto began = Clock::now();
    auto batch = loader_->Next();
    if (!batch.ok()) return batch.status();
    ReportBadImages(loader_->bad_images());
    const int64_t epoch = step / steps_per_epoch_;
    const double lr = options_.lr * schedule_->Factor(step);
    const augment::ImageType& type = views_->output();
    at::Tensor images = moco::ViewTensor(**batch, 0, type);
    at::Tensor labels = at::tensor((*batch)->labels, at::kLong);
    if ((*batch)->size == 0) {  // this rank has none of the last batch
      images = at::zeros({1, type.channels, type.rows, type.cols});
      labels = at::zeros({1}, at::kLong);
    }
    auto metrics = probe_->Step(encoder_.Train(images), labels, (*batch)->size, lr);
    if (!metrics.ok()) return NotFinite(metrics.status().message(), step);

    const int64_t first = step % steps_per_epoch_ * options_.batch_size;
    const double share = std::min(options_.batch_size, data_.train.size() - first);
    epoch_.loss += share * metrics->loss;
    epoch_.acc1 += share * metrics->acc1;
    epoch_images_ += share;
    images_ += share;
    const double seconds = SecondsSince(start_);
    const int64_t steps = step + 1 - first_step_;
    const double left = (last_step_ - step - 1) * seconds / steps;
    const double waiting = loader_->seconds_waited() / seconds;
    log_->Update(absl::StrFormat(
        "epoch %d/%d step %d/%d  loss %.4f  Acc@1 %.1f %%  Acc@5 %.1f %%  %.0f images/s  waiting "
        "%.1f %%  %s left",
        epoch + 1, options_.epochs, step % steps_per_epoch_ + 1, steps_per_epoch_, metrics->loss,
        100 * metrics->acc1, 100 * metrics->acc5, images_ / seconds, 100 * waiting,
        base::FormatSeconds(left)));
    if (steps == 2) {  // the first one finds out how to compute
      const std::string warning = base::SlowStepWarning(SecondsSince(began));
      if (!warning.empty()) log_->Print(warning);
    }
    if (steps == 20) {
      log_->Print(absl::StrCat("the run will take about ", base::FormatSeconds(seconds + left)));
    }
    if ((step + 1) % options_.print_every == 0 || step == 0) {
      log_->Metrics({{"step", step + 1},
                     {"epoch", epoch},
                     {"loss", metrics->loss},
                     {"acc1", metrics->acc1},
                     {"acc5", metrics->acc5},
                     {"lr", lr},
                     {"images_per_second", images_ / seconds},
                     {"waiting", waiting}});
    }
    return absl::OkStatus();
  }

  absl::Status EndEpoch(int64_t epoch, int64_t done) {
    if (!encoder_.frozen()) {
      auto features = ValidationFeatures(options_, data_.validation, encoder_, communicator_);
      if (!features.ok()) {
        if (base::StopRequested().ok()) return features.status();
        validated_ = false;
        return Stop(done, features.status());
      }
      validation_ = *std::move(features);
      validated_ = true;
    }
    const moco::ProbeMetrics metrics = probe_->Evaluate(validation_.features, validation_.labels);
    if (!std::isfinite(metrics.loss)) {
      return NotFinite(absl::StrCat("the validation loss is ", metrics.loss), done - 1);
    }
    const std::string training =
        epoch_images_ == 0
            ? ""  // of an earlier sitting
            : absl::StrFormat("  loss %.4f  training Acc@1 %.1f %%", epoch_.loss / epoch_images_,
                              100 * epoch_.acc1 / epoch_images_);
    log_->Print(absl::StrFormat("epoch %d/%d%s  validation Acc@1 %.1f %%  Acc@5 %.1f %%", epoch + 1,
                                options_.epochs, training, 100 * metrics.acc1, 100 * metrics.acc5));
    log_->Metrics({{"step", done},
                   {"epoch", epoch},
                   {"validation_loss", metrics.loss},
                   {"validation_acc1", metrics.acc1},
                   {"validation_acc5", metrics.acc5},
                   {"best_acc1", std::max(metrics.acc1, best_acc1_ / 100)}});
    epoch_ = {};
    epoch_images_ = 0;
    // The best one first: what it says of itself is true whenever the other says it.
    absl::Status saved;
    if (const double acc1 = 100 * metrics.acc1; epoch == 0 || acc1 > best_acc1_) {
      const double before = std::exchange(best_acc1_, acc1);
      saved = Save(kBestCheckpoint, done);
      if (!saved.ok()) best_acc1_ = before;
    }
    if (absl::Status s = Save(kLastCheckpoint, done); saved.ok()) saved = s;
    const bool last = epoch + 1 == options_.epochs;
    return last || absl::IsInternal(saved) ? saved : absl::OkStatus();
  }

  absl::Status Stop(int64_t step, const absl::Status& why) {
    if (step == first_step_) {
      return absl::Status(why.code(),
                          absl::StrCat(why.message(), " before the first step; nothing ",
                                       "was trained that could be saved"));
    }
    if (absl::Status s = Save(kLastCheckpoint, step); !s.ok()) {
      return absl::Status(s.code(), absl::StrCat(why.message(), ", and ", s.message()));
    }
    if (folder_ == nullptr) {
      return absl::Status(why.code(), absl::StrCat(why.message(), " after step ", step));
    }
    return absl::Status(
        why.code(),
        absl::StrCat(why.message(), " after step ", step, ", checkpoint written; go on with: ",
                     communicator_.size() > 1 ? "the same start, and --resume="
                                              : "bazel run //lincls:lincls -- --resume=",
                     base::ShellQuoted(folder_->path())));
  }

  static absl::Status NotFinite(absl::string_view what, int64_t step) {
    return absl::AbortedError(absl::StrCat(what, " at step ", step,
                                           "; no checkpoint follows; lower --lr, or resume from "
                                           "an earlier checkpoint"));
  }

  // --- What is written ---

  absl::Status Save(const std::string& name, int64_t done) {
    if (absl::Status s = encoder_.CheckUnchanged(); !s.ok()) {
      return absl::InternalError(absl::StrCat("the encoder is not frozen: ", s.message()));
    }
    for (const data::BadImage& image : loader_->bad_images()) {
      counts_.bad_images.insert(image.index);
    }
    counts_.bad_images = moco::Union(communicator_, counts_.bad_images);
    std::vector<at::Tensor> trained = encoder_.Parameters();
    for (const auto& [key, tensor] : probe_->State()) trained.push_back(tensor);
    absl::Status same = moco::CheckSameTensors(communicator_, trained, "the weights", done);
    if (!same.ok() || folder_ == nullptr) return same;
    moco::Checkpoint c = ClassifierCheckpoint(encoder_, *probe_, options_.eval_views,
                                              data_.train.classes(), options_.pretrained);
    c.epoch = done / steps_per_epoch_;
    c.optimizer.lr = options_.lr * schedule_->Factor(done - 1);
    c.numbers["best_acc1"] = best_acc1_;
    for (const auto& [flag, value] : SettingsOfRun().All()) c.mocopp[flag] = value;
    c.mocopp["run"] = run_id_;
    c.mocopp["step"] = absl::StrCat(done);
    c.mocopp["steps_per_epoch"] = absl::StrCat(steps_per_epoch_);
    counts_.epoch_sums = {epoch_.loss, epoch_.acc1, epoch_images_};
    moco::WriteCounts(counts_, c);
    c.mocopp["validated"] = validated_ ? "true" : "false";
    absl::Status written = moco::WriteCheckpoint(folder_->File(name), c);
    if (!written.ok()) {
      log_->Print(
          absl::StrCat("warning: the checkpoint was not written, the earlier one is whole: ",
                       written.message()));
    }
    return written;
  }

  void ReportBadImages(const std::vector<data::BadImage>& images) {
    for (const data::BadImage& image : images) log_->BadImage(image.name, image.why);
  }

  const LinearOptions options_;
  const LinearData data_;
  FrozenBackbone& encoder_;
  moco::Communicator& communicator_;
  base::RunFolder* folder_ = nullptr;  // during Run; null on ranks but the first
  base::RunLog* log_ = nullptr;        // during Run

  std::unique_ptr<augment::Pipeline> views_;
  std::unique_ptr<moco::Schedule> schedule_;
  std::unique_ptr<moco::LinearProbe> probe_;
  int64_t at_step_ = -1;  // that is computed
  std::unique_ptr<data::Loader> loader_;
  moco::Features validation_;

  int64_t steps_per_epoch_ = 0, first_step_ = 0, last_step_ = 0;
  std::string run_id_;
  moco::ResumePoint resumed_;  // without a path: the run starts
  moco::Counts counts_;
  bool validated_ = true;  // after the last epoch that is done
  double best_acc1_ = 0;   // percent, as in the checkpoint
  Clock::time_point start_;
  moco::ProbeMetrics epoch_;  // sums over the epoch's images so far
  double epoch_images_ = 0;
  int64_t images_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<LinearTrainer>> LinearTrainer::Create(
    const LinearOptions& options, const LinearData& data, FrozenBackbone& encoder,
    moco::Communicator& communicator) {
  auto trainer = std::make_unique<LinearTrainerImpl>(options, data, encoder, communicator);
  if (absl::Status s = trainer->Prepare(); !s.ok()) return s;
  return trainer;
}

std::vector<std::string> ListCheckpoints(const std::string& run_folder) {
  std::vector<std::string> paths;
  std::error_code error;
  for (const char* name : {kBestCheckpoint, kLastCheckpoint}) {
    const std::string path = absl::StrCat(run_folder, "/", name);
    if (std::filesystem::exists(path, error)) paths.push_back(path);
  }
  return paths;
}

absl::StatusOr<moco::ProbeMetrics> EvaluateLinear(const LinearOptions& options,
                                                  const data::Dataset& validation,
                                                  const FrozenBackbone& encoder,
                                                  const moco::Checkpoint& checkpoint,
                                                  moco::Communicator& communicator) {
  auto probe = MakeProbe(options, encoder, validation.classes().size(), communicator);
  if (!probe.ok()) return probe.status();
  if (absl::Status s = LoadProbe(checkpoint, validation, **probe); !s.ok()) return s;
  auto features = ValidationFeatures(options, validation, encoder, communicator);
  if (!features.ok()) return features.status();
  return (*probe)->Evaluate(features->features, features->labels);
}

}  // namespace lincls
