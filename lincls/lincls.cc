#include "lincls/lincls.h"

#include <ATen/Parallel.h>
#include <gflags/gflags.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "augment/augmentation.h"
#include "augment/presets.h"
#include "base/files.h"
#include "base/flags.h"
#include "base/program.h"
#include "base/run_folder.h"
#include "base/shared_flags.h"
#include "data/classes.h"
#include "data/dataset.h"
#include "data/demo/demo.h"
#include "data/glance.h"
#include "data/normalization.h"
#include "data/subset.h"
#include "data/values.h"
#include "lincls/classifier_checkpoint.h"
#include "lincls/encoders/frozen_backbone.h"
#include "lincls/encoders/pretrained.h"
#include "lincls/linear_trainer.h"
#include "lincls/linear_validation.h"
#include "moco/backbones/autocast.h"
#include "moco/backbones/backbone.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/communicators/agreement.h"
#include "moco/training/place.h"
#include "registry/spec.h"

// The reference's flags, with its names, defaults and meaning.
DEFINE_string(data, "",
              "[data] folder with train/ and val/, each with a folder of images per class, or "
              "another form of docs/data.md (also as the positional argument); empty: the demo's "
              "images and settings");
MOCOPP_ARCH_FLAG;
MOCOPP_WORKERS_FLAG;
DEFINE_int64(epochs, 100, "[optimisation: 1 to 1000000] passes over the training images");
DEFINE_int64(
    start_epoch, 0,
    "[optimisation] number of the first epoch, counted from 0; a checkpoint brings its own");
MOCOPP_BATCH_SIZE_FLAG(256, "images per step");
DEFINE_double(lr, 30, "[optimisation: 0 to 1000000] initial learning rate");
DEFINE_string(schedule, "60 80",
              "[optimisation: numbers] epochs at which the learning rate drops to a tenth");
DEFINE_double(momentum, 0.9, "[optimisation: 0 to 1] momentum of the optimizer");
DEFINE_double(weight_decay, 0, "[optimisation: 0 to 1000000] L2 penalty");
DEFINE_int64(print_freq, 10, "[monitor: at least 1] steps between lines of metrics.jsonl");
DEFINE_string(resume, "", "[run] run folder to continue, or a checkpoint to continue from");
DEFINE_bool(evaluate, false, "[run] only validate the classifier given by --resume");
DEFINE_string(
    pretrained, "",
    "[encoder] checkpoint of pretraining, or its run folder; empty: the newest in ./runs");
MOCOPP_SEED_FLAG;

// Flags that the reference does not have.
MOCOPP_DATA_FLAGS;
MOCOPP_FOUND_FLAGS;
DEFINE_bool(finetune, false,
            "[encoder] train the encoder too, with batch statistics; the default of --lr is then "
            "0.01");
DEFINE_double(
    label_fraction, 1,
    "[data: 1e-9 to 1] fraction of the training images of each class to use, such as 0.01");
DEFINE_string(views, "",
              "[views] pipeline for training; empty: random crop and flip, in the size of "
              "--eval-views");
DEFINE_string(eval_views, "",
              "[views] pipeline for validation; empty: the checkpoint's, else the usual one of the "
              "data set, else the reference's for 224 pixels");
MOCOPP_PRECISION_FLAGS;
MOCOPP_THREADS_FLAG;
DEFINE_string(force, "",
              "[run] continue even if images or views differ from the checkpoint's; the value is "
              "the reason, which new checkpoints keep");
DEFINE_string(run_dir, "", "[run] folder of this run; empty: ./runs/<time>-lincls");
MOCOPP_MAX_BAD_IMAGES_FLAG;

namespace lincls {
namespace {

constexpr char kFile[] = "lincls/lincls.cc";
constexpr char kUsage[] =
    R"(Trains a linear classifier on the frozen features of a pretrained encoder.

  bazel run //lincls:lincls                                  the demo, after bazel run //moco:pretrain
  bazel run //lincls:lincls -- DIR --pretrained=runs/<time>  DIR has train/ and val/, each by class
  bazel run //lincls:lincls -- DIR --pretrained=runs/<time> --finetune --label-fraction=0.1
  bazel run //lincls:lincls -- DIR --evaluate --resume=runs/<time>-lincls
)";

std::vector<base::Preset> Presets() {
  return {
      // This rate was the best of 0.01, 0.03, 0.1, 0.3 and 1 for a smaller encoder trained for 8
      // epochs; 30 suits ResNet-50 on ImageNet.
      {"demo",
       "15 seconds on two cores; used when no data is given",
       {{"epochs", "16"}, {"batch_size", "128"}, {"lr", "0.1"}, {"schedule", "8 12"}}},
      {"unlabeled96",
       "Deep-Learning-SSL-MoCo-SP21: 800 classes of 96 pixels, training with colour changes",
       {{"data", "../dataset"},
        {"epochs", "100"},
        {"views", augment::CifarViews(96, 0.2, data::kUnlabeled96Normalize)}}},
  };
}

absl::Status CheckFlags(const moco::World& world) {
  absl::Status epoch = base::CheckFlag("start_epoch", FLAGS_start_epoch, 0, FLAGS_epochs - 1.0);
  if (!epoch.ok()) return epoch;
  if (FLAGS_evaluate && FLAGS_resume.empty()) {
    return absl::InvalidArgumentError(
        "--evaluate requires a classifier to validate; give --resume=<run folder of lincls, or a "
        "checkpoint in it>");
  }
  return FLAGS_precision == "bf16" ? moco::CheckBf16(world.device, FLAGS_force_bf16)
                                   : absl::OkStatus();
}

// If --resume names a run folder, the run continues in it, with its flags unless the command line
// sets them. With --evaluate, its best classifier is used.
absl::Status ResolveResume(const moco::World& world) {
  if (FLAGS_resume.empty()) {
    // A launcher has restarted the run. Its flags name the encoder that was found at its start; by
    // now the newest run may be another one.
    const std::string flags = world.run_dir + "/flags.txt";
    std::error_code error;
    if (!world.started_again || !std::filesystem::exists(flags, error)) return absl::OkStatus();
    return base::SetDefaultsFromFile(flags);
  }
  FLAGS_resume = base::UserPath(FLAGS_resume);
  std::error_code error;
  if (!std::filesystem::is_directory(FLAGS_resume, error)) return absl::OkStatus();
  const std::string folder = FLAGS_resume;
  FLAGS_resume = absl::StrCat(folder, "/", FLAGS_evaluate ? kBestCheckpoint : kLastCheckpoint);
  if (!std::filesystem::exists(FLAGS_resume, error)) {
    return absl::NotFoundError(absl::StrCat(
        "'", FLAGS_resume,
        "' does not exist; give the run folder of a linear classifier, or one of its checkpoints"));
  }
  base::SetDefaults({{"run_dir", folder}});
  return base::SetDefaultsFromFile(folder + "/flags.txt");
}

// The usual views for training: the size and the normalisation are those of the evaluation, which
// the pretrained network expects.
absl::StatusOr<std::string> TrainingViews(const std::string& eval_views, int channels) {
  auto pipeline = augment::Pipeline::Create(eval_views, channels);
  if (!pipeline.ok()) return pipeline.status();
  auto steps = registry::SplitPipeline(pipeline->spec());
  if (!steps.ok()) return steps.status();
  const augment::ImageType& type = pipeline->output();
  if (type.rows == 0 || type.rows != type.cols || !absl::StartsWith(steps->back(), "normalize")) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot derive training views from the evaluation views '", eval_views,
                     "', which are not square or do not end with normalize; give --views"));
  }
  return augment::LinearViews(type.rows, steps->back());
}

// `usual`: the usual views of the data.
absl::StatusOr<LinearOptions> Options(const moco::Checkpoint& checkpoint,
                                      const std::string& pretrained,
                                      const data::ViewDefaults& usual, int channels,
                                      const moco::World& world) {
  LinearOptions o;
  o.lr = FLAGS_lr;
  o.schedule = absl::StrCat("step:at=", absl::StrReplaceAll(FLAGS_schedule, {{",", " "}}));
  o.epochs = FLAGS_epochs;
  o.start_epoch = FLAGS_start_epoch;
  o.batch_size = FLAGS_batch_size * world.machines();  // per machine, as in the reference
  o.momentum = FLAGS_momentum;
  o.weight_decay = FLAGS_weight_decay;
  o.seed = FLAGS_seed;
  o.eval_views = EvaluationViews(FLAGS_eval_views, checkpoint, usual, channels);
  o.views = FLAGS_views;
  if (o.views.empty() && !FLAGS_evaluate) {
    auto views = TrainingViews(o.eval_views, channels);
    if (!views.ok()) return views.status();
    o.views = *views;
  }
  o.loader_threads = FLAGS_workers == 0 ? 0
                                        : std::min(moco::ShareOfThreads(FLAGS_workers, world),
                                                   moco::ShareOfThreads(0, world));
  o.max_bad_images = FLAGS_max_bad_images;
  o.print_every = FLAGS_print_freq;
  o.pretrained = pretrained;
  o.resume = FLAGS_resume;
  o.force = FLAGS_force;
  return o;
}

// The settings as a flagfile: every flag, and the specs in full.
absl::Status PrintConfig(const LinearOptions& o, const FrozenBackbone& encoder) {
  FLAGS_arch = encoder.spec();
  FLAGS_views = o.views;
  FLAGS_eval_views = o.eval_views;
  for (std::string* views : {&FLAGS_views, &FLAGS_eval_views}) {
    if (views->empty()) continue;  // flags of training, if the program only validates
    auto pipeline = augment::Pipeline::Create(*views, *moco::ImageChannels(FLAGS_arch));
    if (!pipeline.ok()) return pipeline.status();
    *views = pipeline->spec();
  }
  std::vector<std::string> without = {"run_dir", "force"};
  if (!FLAGS_evaluate) without.push_back("resume");
  std::fputs(base::Flagfile(kFile, without).c_str(), stdout);
  return absl::OkStatus();
}

// Sets --range to that of the checkpoint, unless the user gives another.
void UseRangeOf(const moco::Checkpoint& checkpoint) {
  if (FLAGS_range.empty()) FLAGS_range = checkpoint.facts.Setting(moco::kRangeSetting);
}

// Opens the labelled images of a split. A range that is found replaces that of `source`, so that
// later splits have the same. If only the settings are to be printed, the data may be on another
// machine; the result then has no images.
absl::StatusOr<data::Opened> OpenSplit(data::DataSource& source, data::Split split) {
  auto opened = data::OpenLabelledDataset(source, split);
  if (base::PrintConfig() && absl::IsNotFound(opened.status())) return data::Opened();
  if (!opened.ok()) return opened;
  FLAGS_range = source.range = data::WriteRange(opened->decode.range);
  return opened;
}

data::ViewDefaults UsualViews(const data::Opened& opened) {
  return opened.dataset ? opened.dataset->views() : data::ViewDefaults();
}

void PrintNotes(const std::vector<std::string>& notes) {
  if (FLAGS_data.empty()) return;  // the demo's data are as they should be
  for (const std::string& note : notes) {
    if (!note.empty()) std::printf("note     %s\n", note.c_str());
  }
}

void PrintLines(const std::vector<std::string>& lines) {
  if (FLAGS_data.empty()) return;  // of the demo's data
  for (const std::string& line : lines) std::printf("%s\n", line.c_str());
}

absl::Status Evaluate(const std::string& place, const moco::World& world) {
  auto checkpoint = moco::ReadCheckpoint(FLAGS_resume);
  if (!checkpoint.ok()) return checkpoint.status();
  auto encoder = FrozenBackbone::Create(*checkpoint, {FLAGS_arch, kClassifier});
  if (!encoder.ok()) return base::InFile(encoder.status(), FLAGS_resume);
  (*encoder)->To(world.device, FLAGS_precision == "bf16");
  const int channels = *moco::ImageChannels((*encoder)->spec());
  UseRangeOf(*checkpoint);
  data::DataSource source = MOCOPP_DATA_SOURCE(place, channels);
  auto validation = OpenSplit(source, data::Split::kValidation);
  if (!validation.ok()) return validation.status();
  auto options = Options(*checkpoint, FLAGS_resume, UsualViews(*validation), channels, world);
  if (!options.ok()) return options.status();
  if (base::PrintConfig()) {
    return world.writes() ? PrintConfig(*options, **encoder) : absl::OkStatus();
  }
  validation->notes.push_back(NumberAsClassifier(checkpoint->facts, validation->dataset));
  validation->notes.push_back(ExifNote(*checkpoint, source.decode));
  const auto glance = data::Glance(*validation->dataset, {.decode = validation->decode});
  if (!glance.ok()) return glance.status();
  if (world.writes()) {
    std::printf("data     %lld images, %s (%s)\n",
                static_cast<long long>(validation->dataset->size()), validation->place.c_str(),
                validation->format.c_str());
    PrintNotes(validation->notes);
    PrintLines(*glance);
    std::printf("encoder  %s, with its classifier from %s\n", (*encoder)->spec().c_str(),
                FLAGS_resume.c_str());
  }
  auto metrics =
      EvaluateLinear(*options, *validation->dataset, **encoder, *checkpoint, *world.communicator);
  if (absl::IsInvalidArgument(metrics.status()))
    return base::InFile(metrics.status(), FLAGS_resume);
  if (!metrics.ok()) return metrics.status();
  if (!world.writes()) return absl::OkStatus();
  std::printf("validation  loss %.4f  Acc@1 %.1f %%  Acc@5 %.1f %%\n", metrics->loss,
              100 * metrics->acc1, 100 * metrics->acc5);
  return absl::OkStatus();
}

void PrintSettings(const std::string& place, const std::string& format, const LinearData& data,
                   const std::vector<std::string>& notes, const std::vector<std::string>& glance,
                   const LinearOptions& o, const FrozenBackbone& encoder, const moco::World& world,
                   const std::string& folder) {
  std::printf("data     %lld training and %lld validation images in %lld classes, %s (%s)\n",
              static_cast<long long>(data.train.size()),
              static_cast<long long>(data.validation.size()),
              static_cast<long long>(data.train.classes().size()),
              FLAGS_data.empty() ? "the demo, a part of CIFAR-10" : place.c_str(), format.c_str());
  PrintNotes(notes);
  if (world.writes()) PrintLines(glance);
  std::printf("encoder  %s (%lld features), %s, %s, from %s\n", encoder.spec().c_str(),
              static_cast<long long>(encoder.feature_dim()), FLAGS_precision.c_str(),
              encoder.frozen() ? "frozen" : "fine-tuned", o.pretrained.c_str());
  std::printf("training %lld epochs, batch %lld, lr %g %s, seed %llu\n",
              static_cast<long long>(o.epochs), static_cast<long long>(o.batch_size), o.lr,
              o.schedule.c_str(), static_cast<unsigned long long>(o.seed));
  std::printf("views    %s; validation %s\n", o.views.c_str(), o.eval_views.c_str());
  std::printf("threads  %d compute, %d load\n", at::get_num_threads(), o.loader_threads);
  std::fputs(moco::DeviceLine(world).c_str(), stdout);
  std::fputs(world.banner.c_str(), stdout);
  std::fputs(moco::FlagNotes(world, FLAGS_workers, o.loader_threads, "//dist:lincls_ddp").c_str(),
             stdout);
  std::printf("run      %s\n", folder.c_str());
  std::fflush(stdout);
}

absl::Status Train(const std::string& place, const moco::World& world) {
  auto pretrained = FindPretrained(base::UserPath(FLAGS_pretrained));
  if (!pretrained.ok()) return pretrained.status();
  FLAGS_pretrained = *pretrained;  // for the flagfile, since later the newest may be another one
  auto checkpoint = moco::ReadCheckpoint(*pretrained);
  if (!checkpoint.ok()) return checkpoint.status();
  auto encoder = FrozenBackbone::Create(*checkpoint, MOCOPP_ENCODER_CHOICE(FLAGS_arch));
  if (!encoder.ok()) return base::InFile(encoder.status(), *pretrained);
  (*encoder)->To(world.device, FLAGS_precision == "bf16");
  const int channels = *moco::ImageChannels((*encoder)->spec());
  UseRangeOf(*checkpoint);
  data::DataSource source = MOCOPP_DATA_SOURCE(place, channels);
  auto train = OpenSplit(source, data::Split::kTraining);
  if (!train.ok()) return train.status();
  auto validation = OpenSplit(source, data::Split::kValidation);
  if (!validation.ok()) return validation.status();
  auto options = Options(*checkpoint, *pretrained, UsualViews(*train), channels, world);
  if (!options.ok()) return options.status();
  options->decode = train->decode;
  const std::string exif_note = ExifNote(*checkpoint, source.decode);
  *checkpoint = {};  // the key encoder, the queue and the momentum need not stay in memory
  if (base::PrintConfig()) {
    return world.writes() ? PrintConfig(*options, **encoder) : absl::OkStatus();
  }

  auto run = moco::RunPlace::Find(
      {base::UserPath(FLAGS_run_dir), "-lincls", !FLAGS_resume.empty(), ListCheckpoints}, world);
  if (!run.ok()) return run.status();
  options->earlier = run->checkpoints();

  if (absl::Status s = data::CheckSameClasses(*train->dataset, *validation->dataset); !s.ok()) {
    return s;
  }
  validation->dataset = data::NumberedAs(train->dataset->classes(), std::move(validation->dataset));
  std::vector<std::string> notes = train->notes;
  notes.insert(notes.end(), validation->notes.begin(), validation->notes.end());
  notes.push_back(exif_note);
  notes.push_back((*encoder)->note());
  if (FLAGS_label_fraction < 1) {
    train->dataset =
        data::FractionOfLabels(std::move(train->dataset), FLAGS_label_fraction, FLAGS_seed);
  }
  if (FLAGS_finetune) (*encoder)->Thaw();
  const LinearData data{*train->dataset, *validation->dataset};
  std::vector<std::string> glance;
  for (const auto& [dataset, what, labels] : {std::tuple(&data.train, "training", true),
                                              std::tuple(&data.validation, "validation", false)}) {
    auto lines = data::Glance(*dataset, {.decode = train->decode, .what = what, .labels = labels});
    if (!lines.ok()) return lines.status();
    glance.insert(glance.end(), lines->begin(), lines->end());
  }
  auto trainer = LinearTrainer::Create(*options, data, **encoder, *world.communicator);
  if (!trainer.ok()) return trainer.status();

  absl::Status opened = run->Open(world, base::Flagfile(kFile, {"run_dir", "resume", "force"}),
                                  options->loader_threads);
  if (!opened.ok()) return opened;
  PrintSettings(place, train->format, data, notes, glance, *options, **encoder, world, run->path());
  return (*trainer)->Run(run->folder());
}

absl::Status Run(const base::Program& program, const moco::World& world) {
  absl::Status same = moco::CheckSameSettings(
      *world.communicator, {{"evaluate", FLAGS_evaluate ? "true" : "false"},
                            {"print-config", base::PrintConfig() ? "true" : "false"}});
  if (!same.ok()) return same;
  if (absl::Status s = base::ApplyPreset(program, ""); !s.ok()) return s;
  if (absl::Status s = ResolveResume(world); !s.ok()) return s;
  std::string place;
  if (FLAGS_finetune) base::SetDefaults({{"lr", "0.01"}});
  if (FLAGS_data.empty()) {
    if (absl::Status s = base::ApplyPreset(program, "demo"); !s.ok()) return s;
    auto demo = data::DemoFolder();
    if (!demo.ok()) return demo.status();
    place = *demo;
  } else {
    place = FLAGS_data = base::UserPath(FLAGS_data);
    FLAGS_val = base::UserPath(FLAGS_val);
  }
  if (absl::Status s = CheckFlags(world); !s.ok()) return s;
  if (FLAGS_threads > 0 || world.local_size > 1) {
    at::set_num_threads(
        static_cast<int>(FLAGS_threads > 0 ? FLAGS_threads : moco::ShareOfThreads(0, world)));
  }
  return FLAGS_evaluate ? Evaluate(place, world) : Train(place, world);
}

}  // namespace

absl::Status Lincls(int argc, char** argv, const moco::Connection& connection) {
  const base::Program program{.usage = kUsage, .argument_flag = "data", .presets = Presets()};
  return moco::RunWithPeers(argc, argv, program, connection,
                            [&](const moco::World& world) { return Run(program, world); });
}

}  // namespace lincls
