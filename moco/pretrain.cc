#include "moco/pretrain.h"

#include <ATen/Parallel.h>
#include <gflags/gflags.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "augment/presets.h"
#include "base/files.h"
#include "base/flags.h"
#include "base/program.h"
#include "base/run_folder.h"
#include "base/shared_flags.h"
#include "base/signals.h"
#include "data/classes.h"
#include "data/dataset.h"
#include "data/demo/demo.h"
#include "data/glance.h"
#include "data/overview.h"
#include "data/values.h"
#include "moco/backbones/autocast.h"
#include "moco/backbones/backbone.h"
#include "moco/before/before.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/communicators/agreement.h"
#include "moco/losses/loss.h"
#include "moco/presets.h"
#include "moco/training/initial_weights.h"
#include "moco/training/place.h"
#include "moco/training/trainer.h"
#include "registry/options.h"

// The reference's flags, with its names, defaults and meaning.
DEFINE_string(data, "",
              "[data] folder of images, or another form of docs/data.md (also as the positional "
              "argument); its unlabeled/ or train/ is used if it has one; empty: the demo's images "
              "and settings");
DEFINE_string(arch, "resnet50", "[encoder] backbone: a name or a spec such as resnet18:stem=cifar");
MOCOPP_WORKERS_FLAG;
DEFINE_int64(epochs, 200, "[optimisation: 1 to 1000000] passes over the data");
DEFINE_int64(
    start_epoch, 0,
    "[optimisation] number of the first epoch, counted from 0; a checkpoint brings its own");
MOCOPP_BATCH_SIZE_FLAG(256, "images per step");
DEFINE_double(lr, 0.03, "[optimisation: 0 to 1000000] initial learning rate");
DEFINE_string(schedule, "120 160",
              "[optimisation: numbers] epochs at which the learning rate drops to a tenth");
DEFINE_bool(cos, false,
            "[optimisation] cosine schedule of the learning rate, instead of --schedule");
DEFINE_double(momentum, 0.9, "[optimisation] momentum of the optimizer");
DEFINE_double(weight_decay, 1e-4, "[optimisation] L2 penalty");
DEFINE_int64(
    print_freq, 10,
    "[monitor: at least 1] steps between lines of metrics.jsonl; as often the losses are read "
    "from a GPU and shown");
DEFINE_string(resume, "",
              "[run] run folder to continue, or a checkpoint to continue from; a newer checkpoint "
              "of the same run in this run's folder takes precedence");
MOCOPP_SEED_FLAG;
DEFINE_int64(moco_dim, 128, "[encoder: 1 to 65536] dimension of queries and keys");
DEFINE_int64(moco_k, 65536, "[method: 1 to 1000000000] queue size: number of negative keys");
DEFINE_double(moco_m, 0.999, "[method: 0 to 1] momentum of the key encoder");
DEFINE_double(moco_t, 0.07, "[method] temperature of the softmax");
DEFINE_bool(mlp, false, "[encoder] head with a hidden layer (MoCo v2)");
DEFINE_bool(aug_plus, false, "[views] blur and stronger colour changes (MoCo v2)");

// Flags that the reference does not have.
MOCOPP_DATA_FLAGS;
DEFINE_string(init, "",
              "[encoder] checkpoint of another network, or the folder of a run, whose encoder (and "
              "head, if it fits) the run starts from; with it, --arch may be left out");
MOCOPP_FOUND_FLAGS;
DEFINE_string(head, "", "[encoder] spec of the head, instead of --mlp and --moco-dim");
DEFINE_string(loss, "", "[method] spec of the loss, instead of --moco-t");
DEFINE_string(optimizer, "",
              "[optimisation] spec of the optimizer, instead of --momentum and --weight-decay");
DEFINE_int64(accumulate, 1,
             "[optimisation: 1 to 1000000] micro-batches per batch, computed one after another to "
             "save memory; each has its own batch statistics, as each of several GPUs has");
DEFINE_string(lr_schedule, "",
              "[optimisation] spec of the learning rate schedule, instead of --cos and --schedule");
DEFINE_int64(image_size, 224, "[views: 1 to 7168] rows and columns of a view");
DEFINE_string(views, "", "[views] pipeline of both views, instead of --aug-plus and --image-size");
DEFINE_string(eval_views, "",
              "[views] pipeline for evaluation; empty: resize and centre crop to --image-size");
DEFINE_int64(bn_splits, 1,
             "[encoder: 1 to 1000000] parts of a batch with batch statistics of their own; in a "
             "single process, more than 1 prevents batch norm from leaking the key");
DEFINE_bool(symmetric, false,
            "[method] use each view as query once and as key once, and add both losses (as the "
            "CIFAR demo does); costs about two steps");
DEFINE_string(precision, "fp32",
              "[machine: fp32 | fp64 | bf16] arithmetic; bf16 requires support by the CPU or GPU");
MOCOPP_FORCE_BF16_FLAG;
MOCOPP_THREADS_FLAG;
DEFINE_string(shuffle_keys, "exchange",
              "[method: exchange | deal] how keys are shuffled over several processes: exchange "
              "sends images to the process that encodes them; deal loads them there, so that only "
              "keys are sent");
DEFINE_string(run_dir, "", "[run] folder of this run; empty: ./runs/<time>");
DEFINE_string(checkpoint_dir, "",
              "[run] folder of this run, in the reference's layout: checkpoints named "
              "moco_unsupervised_0000.pth.tar beside the other files, every 5 epochs");
DEFINE_int64(checkpoint_every, 1,
             "[run: at least 1] epochs between checkpoints; the first and last epochs always have "
             "one");
DEFINE_double(checkpoint_minutes, 15,
              "[run: at least 0] minutes between checkpoints within long epochs, of which two are "
              "kept; 0: none");
DEFINE_string(force, "",
              "[run] continue even if images or views differ from the checkpoint's; the value is "
              "the reason, which new checkpoints keep");
DEFINE_int64(keep, 0, "[run: at least 0] number of newest checkpoints to keep; 0: all");
MOCOPP_MAX_BAD_IMAGES_FLAG;
DEFINE_int64(knn_every, 0,
             "[monitor: at least 0] epochs between kNN evaluations on the labels of train/ and "
             "val/; 0: none");
DEFINE_int64(knn_k, 200, "[monitor: 1 to 1000000000] number of neighbours that vote");
DEFINE_double(knn_t, 0.1, "[monitor: at least 1e-6] temperature of the votes");
DEFINE_bool(probe, false,
            "[monitor] also fit a linear classifier to the features of --knn-every's images");
DEFINE_int64(monitor_every, -1,
             "[monitor: at least -1] epochs between evaluations of the encoder that need no labels "
             "(RankMe, LiDAR, alignment, uniformity; docs/health.md), on images of val/ or, if "
             "there is none, of the training images; 0: none; -1: as many as it takes to use about "
             "a twentieth of the time");
DEFINE_int64(monitor_images, 512,
             "[monitor: 2 to 1000000] number of images for --monitor-every, drawn once");

namespace moco {
namespace {

constexpr char kFile[] = "moco/pretrain.cc";
constexpr char kUsage[] = R"(Pretrains an image encoder without labels, by momentum contrast (MoCo).

  bazel run //moco:pretrain                                              the demo: 4 minutes on 2 cores
  bazel run //moco:pretrain -- DIR --mlp --moco-t=0.2 --aug-plus --cos   MoCo v2
  bazel run //moco:pretrain -- DIR --init=resnet50.pth --lr=0.003        start from weights
  bazel run //moco:pretrain -- --resume=runs/<time>                      continue a run
  bazel run //moco:pretrain -- DIR --preview=views.html                  look at the views, do not train
)";

// Flags that name the folder of a run or apply to one start only. The others make the same run
// elsewhere.
const std::vector<std::string> kPlaceFlags = {"run_dir", "checkpoint_dir", "resume", "force"};

// Flags that are short forms for a part of a spec.
const std::pair<std::string, std::vector<std::string>> kShorthands[] = {
    {"head", {"mlp", "moco_dim"}},
    {"loss", {"moco_t"}},
    {"optimizer", {"momentum", "weight_decay"}},
    {"lr_schedule", {"cos", "schedule"}},
    {"views", {"aug_plus"}}};

// `given`: the flags set on the command line.
absl::Status CheckFlags(const std::set<std::string>& given, const World& world) {
  absl::Status epoch = base::CheckFlag("start_epoch", FLAGS_start_epoch, 0, FLAGS_epochs - 1.0);
  if (!epoch.ok()) return epoch;
  for (const auto& [spec, shorthands] : kShorthands) {
    if (gflags::GetCommandLineFlagInfoOrDie(spec.c_str()).current_value.empty()) continue;
    for (const std::string& flag : shorthands) {
      const auto info = gflags::GetCommandLineFlagInfoOrDie(flag.c_str());
      // A flagfile gives all flags, most of them with their defaults.
      if (given.count(flag) == 0 || info.current_value == info.default_value) continue;
      const std::string dashed = absl::StrReplaceAll(flag, {{"_", "-"}});
      return absl::InvalidArgumentError(
          absl::StrCat("--", dashed, " has no effect together with --",
                       absl::StrReplaceAll(spec, {{"_", "-"}}), "; set it in the spec"));
    }
  }
  if (FLAGS_probe && FLAGS_knn_every == 0) {
    return absl::InvalidArgumentError(
        "--probe uses the images of --knn-every; give --knn-every, too");
  }
  if (FLAGS_init.empty() && !(FLAGS_encoder_prefix.empty() && FLAGS_weights.empty())) {
    return absl::InvalidArgumentError(
        "--encoder-prefix and --weights choose an encoder of the file --init; give --init, too");
  }
  if (FLAGS_shuffle_keys == "deal" && FLAGS_symmetric) {
    return absl::InvalidArgumentError(
        "--shuffle-keys=deal cannot be combined with --symmetric, which uses each view as query "
        "and "
        "as key; use exchange");
  }
  return FLAGS_precision == "bf16" ? CheckBf16(world.device, FLAGS_force_bf16) : absl::OkStatus();
}

// If --resume names a run folder, the run continues in it, with its flags unless the command line
// sets them. Afterwards --resume is a checkpoint from elsewhere, or empty.
absl::StatusOr<RunPlace> FindPlace(const World& world) {
  for (std::string* path : {&FLAGS_resume, &FLAGS_run_dir, &FLAGS_checkpoint_dir}) {
    *path = base::UserPath(*path);
  }
  if (!FLAGS_run_dir.empty() && !FLAGS_checkpoint_dir.empty()) {
    return absl::InvalidArgumentError(
        "--run-dir and --checkpoint-dir both name the run's folder; give one of them");
  }
  std::error_code error;
  const std::string earlier =
      std::filesystem::is_directory(FLAGS_resume, error) ? FLAGS_resume : "";
  if (!earlier.empty()) {
    const std::vector<std::string> checkpoints = ListCheckpoints(earlier);
    if (checkpoints.empty()) {
      return absl::NotFoundError(
          absl::StrCat("'", earlier, "' has no checkpoint of pretraining; give a run folder that ",
                       "has one, or start a new run in it with --run-dir"));
    }
    FLAGS_resume = checkpoints.back();
    if (FLAGS_run_dir.empty() && FLAGS_checkpoint_dir.empty()) {
      const bool flat = std::filesystem::path(FLAGS_resume).parent_path() == earlier;
      base::SetDefaults({{flat ? "checkpoint_dir" : "run_dir", earlier}});
    }
    const std::string flags = earlier + "/flags.txt";  // the reference leaves none
    if (std::filesystem::exists(flags, error)) {
      if (absl::Status s = base::SetDefaultsFromFile(flags); !s.ok()) return s;
    }
  }
  if (!FLAGS_checkpoint_dir.empty()) base::SetDefaults({{"checkpoint_every", "5"}});
  auto place = RunPlace::Find({FLAGS_checkpoint_dir.empty() ? FLAGS_run_dir : FLAGS_checkpoint_dir,
                               "", !FLAGS_resume.empty(), ListCheckpoints, OnlyLooks()},
                              world);
  if (place.ok() && std::filesystem::equivalent(place->path(), earlier, error)) {
    FLAGS_resume.clear();
  }
  return place;
}

// Reads --init, and sets --arch to its backbone unless it is given. Null without --init. A run that
// resumes does not need the file any more.
absl::StatusOr<std::shared_ptr<const InitialWeights>> ReadInit(const RunPlace& place) {
  if (FLAGS_init.empty()) return nullptr;
  FLAGS_init = base::UserPath(FLAGS_init);
  const bool resumes = !FLAGS_resume.empty() || !place.checkpoints().empty();
  auto read = ReadInitialWeights(FLAGS_init, MOCOPP_ENCODER_CHOICE(""),
                                 base::IsSet("arch") ? FLAGS_arch : "");
  if (!read.ok()) {
    if (resumes && absl::IsNotFound(read.status())) return nullptr;
    return read.status();
  }
  FLAGS_init = read->path;  // for the flagfile, since later a run may have newer checkpoints
  base::SetDefaults({{"arch", read->spec}});
  return std::make_shared<const InitialWeights>(*std::move(read));
}

struct Data {
  data::Opened train;       // without labels
  data::Opened bank, test;  // for kNN
  data::Opened other;       // images that are not trained on, if kNN has not opened them

  const data::Dataset* held_out() const {
    return test.dataset != nullptr ? test.dataset.get() : other.dataset.get();
  }
};

// The validation images, for the measures that need no labels. Those are computed on training
// images if there are none, or fewer than ranks; the run says on which (Monitor::Describe).
absl::Status OpenHeldOut(const data::DataSource& source, int64_t ranks, Data& data) {
  auto opened = data::OpenDataset(source, data::Split::kValidation);
  if (opened.ok()) {
    if (opened->dataset->size() >= std::max<int64_t>(ranks, 2)) data.other = *std::move(opened);
    return absl::OkStatus();
  }
  return source.validation.empty() ? absl::OkStatus() : opened.status();
}

// The images, the labelled ones for kNN, and those for the measures.
absl::StatusOr<Data> OpenData(const std::string& folder, int64_t ranks) {
  const auto channels = ImageChannels(FLAGS_arch);
  if (!channels.ok()) return channels.status();
  Data data;
  data::DataSource source = MOCOPP_DATA_SOURCE(folder, *channels);
  auto train = data::OpenDataset(source, data::Split::kPretraining);
  if (!train.ok()) return train.status();
  data.train = *std::move(train);
  FLAGS_range = data::WriteRange(data.train.decode.range);  // of an automatic one, what was found
  source.range = FLAGS_range;
  if (FLAGS_knn_every == 0) {
    absl::Status s = FLAGS_monitor_every == 0 ? absl::OkStatus() : OpenHeldOut(source, ranks, data);
    if (!s.ok()) return s;
    return data;
  }
  for (const auto& [opened, split] : {std::pair(&data.bank, data::Split::kTraining),
                                      std::pair(&data.test, data::Split::kValidation)}) {
    auto labelled = data::OpenLabelledDataset(source, split);
    if (absl::IsNotFound(labelled.status())) {
      return absl::InvalidArgumentError(
          absl::StrCat("--knn-every requires labelled images: ", labelled.status().message(),
                       "; give --knn-every=0 to run without it"));
    }
    if (!labelled.ok()) return labelled.status();
    *opened = *std::move(labelled);
  }
  if (absl::Status s = data::CheckSameClasses(*data.bank.dataset, *data.test.dataset); !s.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(s.message(), "; give --knn-every=0 to run without them"));
  }
  data.test.dataset = data::NumberedAs(data.bank.dataset->classes(), std::move(data.test.dataset));
  return data;
}

// The spec that a flag gives; without it, the spec that follows from other flags.
std::string Spec(const std::string& given, const std::string& expanded) {
  return given.empty() ? expanded : given;
}

// `views`: the usual views of the data, unless flags set others.
TrainerOptions Options(const data::ViewDefaults& views, int channels, const World& world) {
  TrainerOptions o;
  o.moco.encoder.backbone = FLAGS_arch;
  o.moco.encoder.head =
      Spec(FLAGS_head, absl::StrCat(FLAGS_mlp ? "mlp" : "linear", ":dim=", FLAGS_moco_dim));
  o.moco.encoder.bn_splits = FLAGS_bn_splits;
  o.moco.loss = Spec(FLAGS_loss, "info_nce:temperature=" + registry::WriteValue(FLAGS_moco_t));
  o.moco.optimizer = Spec(FLAGS_optimizer,
                          absl::StrCat("sgd:momentum=", registry::WriteValue(FLAGS_momentum),
                                       ",weight_decay=", registry::WriteValue(FLAGS_weight_decay)));
  o.moco.queue_size = FLAGS_moco_k;
  o.moco.momentum = FLAGS_moco_m;
  o.moco.symmetric = FLAGS_symmetric;
  o.moco.accumulate = FLAGS_accumulate;
  o.moco.dtype = FLAGS_precision == "fp64" ? at::kDouble : at::kFloat;
  o.moco.bf16 = FLAGS_precision == "bf16";
  o.moco.device = world.device;
  o.moco.seed = FLAGS_seed;
  o.lr = FLAGS_lr;
  o.schedule =
      Spec(FLAGS_lr_schedule,
           FLAGS_cos ? "cosine" : "step:at=" + absl::StrReplaceAll(FLAGS_schedule, {{",", " "}}));
  o.epochs = FLAGS_epochs;
  o.start_epoch = FLAGS_start_epoch;
  o.batch_size = FLAGS_batch_size * world.machines();  // per machine, as in the reference
  o.shuffle = FLAGS_shuffle_keys;
  o.seed = FLAGS_seed;
  const std::string normalize = channels == 3
                                    ? Spec(views.normalize, augment::NormalizeSpec("imagenet"))
                                    : augment::NormalizeSpec("grey");
  const auto preset = FLAGS_aug_plus ? augment::V2Views : augment::V1Views;
  o.views = Spec(FLAGS_views, preset(FLAGS_image_size, 0.2, normalize, channels == 3));
  const int64_t resize = FLAGS_image_size == views.size ? views.resize : 0;
  o.eval_views =
      Spec(FLAGS_eval_views, augment::EvaluationViews(FLAGS_image_size, normalize, resize));
  const int64_t workers = ShareOfThreads(FLAGS_workers, world);
  o.loader_threads = FLAGS_workers == 0 ? 0 : std::min(workers, ShareOfThreads(0, world));
  o.max_bad_images = FLAGS_max_bad_images;
  o.print_every = FLAGS_print_freq;
  o.checkpoint_prefix = FLAGS_checkpoint_dir.empty() ? kCheckpoints : kFlatCheckpoints;
  o.checkpoint_every = FLAGS_checkpoint_every;
  o.checkpoint_minutes = FLAGS_checkpoint_minutes;
  o.keep = FLAGS_keep;
  o.force = FLAGS_force;
  o.resume = FLAGS_resume;
  o.knn_every = FLAGS_knn_every;
  o.knn_k = FLAGS_knn_k;
  o.knn_temperature = FLAGS_knn_t;
  o.probe = FLAGS_probe;
  o.monitor_every = FLAGS_monitor_every;
  o.monitor_images = FLAGS_monitor_images;
  return o;
}

std::string PlaceOf(const Data& data) {
  return FLAGS_data.empty() ? "the demo, a part of CIFAR-10" : data.train.place;
}

// What a user should know of the data before the first batch; `glance`: of the images to train
// with.
void PrintData(const Data& data, const std::vector<std::string>& glance, const World& world) {
  if (FLAGS_data.empty()) return;  // the demo's data are as they should be
  for (const data::Opened* opened : {&data.train, &data.bank, &data.test}) {
    for (const std::string& note : opened->notes) {
      std::printf("note     %s\n", note.c_str());
    }
  }
  if (!world.writes()) return;
  for (const std::string& line : glance) std::printf("%s\n", line.c_str());
  if (data.bank.dataset == nullptr) return;
  const std::string note =
      data::EmptyClassesNote(data::Summarize(*data.bank.dataset), data.bank.dataset->classes());
  if (!note.empty()) std::printf("note     %s\n", note.c_str());
}

void PrintSettings(const Data& data, const std::vector<std::string>& glance,
                   const TrainerOptions& o, const World& world, const std::string& folder) {
  const MoCoOptions& m = o.moco;
  std::printf("data     %lld images, %s (%s)\n", static_cast<long long>(data.train.dataset->size()),
              PlaceOf(data).c_str(), data.train.format.c_str());
  PrintData(data, glance, world);
  std::printf("encoder  %s, head %s, %s\n", m.encoder.backbone.c_str(), m.encoder.head.c_str(),
              FLAGS_precision.c_str());
  // The spec in full, since the temperature may come from a flag, a spec or a default.
  std::printf("moco     queue %lld, momentum %g, loss %s%s, batch norm in %lld parts\n",
              static_cast<long long>(m.queue_size), m.momentum,
              Losses().Canonical(m.loss).value_or(m.loss).c_str(),
              m.symmetric ? " (symmetric)" : "", static_cast<long long>(m.encoder.bn_splits));
  std::printf("training %lld epochs, batch %lld, lr %g %s, seed %llu\n",
              static_cast<long long>(o.epochs), static_cast<long long>(o.batch_size), o.lr,
              o.schedule.c_str(), static_cast<unsigned long long>(o.seed));
  std::printf("views    %s\n", o.views.c_str());
  std::printf("threads  %d compute, %d load\n", at::get_num_threads(), o.loader_threads);
  std::fputs(DeviceLine(world).c_str(), stdout);
  std::fputs(world.banner.c_str(), stdout);
  std::fputs(FlagNotes(world, FLAGS_workers, o.loader_threads, "//dist:pretrain_ddp").c_str(),
             stdout);
  if (const int64_t images = data.train.dataset->size(); m.queue_size > images) {
    const int64_t fitting = std::max(o.batch_size, images / 2 / o.batch_size * o.batch_size);
    std::printf(
        "note     --moco-k=%lld is more than the %lld images: the queue will hold several keys of "
        "each image, which are wrong negatives of it; give --moco-k=%lld or another multiple of "
        "the batch\n",
        static_cast<long long>(m.queue_size), static_cast<long long>(images),
        static_cast<long long>(fitting));
  }
  if (m.accumulate > 1) {
    std::printf(
        "note     --accumulate: each batch is computed as %lld micro-batches of %lld images\n",
        static_cast<long long>(m.accumulate), static_cast<long long>(o.batch_size / m.accumulate));
  } else if (m.encoder.bn_splits * world.communicator->size() == 1) {
    std::printf(
        "note     --bn-splits=1: batch norm may leak the key; --bn-splits=N behaves like N GPUs\n");
  }
  std::printf("run      %s\n", folder.c_str());
  std::fflush(stdout);
}

// The settings as a flagfile: every flag, with specs in canonical form instead of their short
// forms.
absl::Status PrintConfig(const TrainerOptions& options) {
  const auto o = Canonical(options);
  if (!o.ok()) return o.status();
  FLAGS_arch = o->moco.encoder.backbone;
  FLAGS_head = o->moco.encoder.head;
  FLAGS_loss = o->moco.loss;
  FLAGS_optimizer = o->moco.optimizer;
  FLAGS_lr_schedule = o->schedule;
  FLAGS_views = o->views;
  FLAGS_eval_views = o->eval_views;
  std::vector<std::string> without = kPlaceFlags;
  without.push_back("image_size");
  for (const auto& [spec, shorthands] : kShorthands) {
    without.insert(without.end(), shorthands.begin(), shorthands.end());
  }
  std::fputs(base::Flagfile(kFile, without).c_str(), stdout);
  return absl::OkStatus();
}

// The command to type after pretraining.
std::string NextCommand(const std::string& data_folder, const base::RunFolder& folder) {
  const std::string pretrained = base::ShellQuoted(folder.path());
  if (FLAGS_data.empty()) return "bazel run //lincls:lincls -- --pretrained=" + pretrained;
  const data::DataSource source = MOCOPP_DATA_SOURCE(data_folder, *ImageChannels(FLAGS_arch));
  const auto split = [&](data::Split which) {
    return data::OpenLabelledDataset(source, which).ok();
  };
  std::string dataset;
  for (const auto& [flag, value] :
       {std::pair(" --dataset=", FLAGS_dataset), std::pair(" --val=", FLAGS_val),
        std::pair(" --image-key=", FLAGS_image_key), std::pair(" --columns=", FLAGS_columns)}) {
    if (!value.empty()) absl::StrAppend(&dataset, flag, base::ShellQuoted(value));
  }
  if (FLAGS_exif == "apply") dataset += " --exif=apply";
  if (FLAGS_pages != "first") absl::StrAppend(&dataset, " --pages=", FLAGS_pages);
  if (FLAGS_max_megapixels != 100) {
    absl::StrAppend(&dataset, " --max-megapixels=", FLAGS_max_megapixels);
  }
  const bool labelled = split(data::Split::kTraining) && split(data::Split::kValidation);
  return absl::StrCat(
      "bazel run //lincls:lincls -- ", labelled ? base::ShellQuoted(data_folder) + dataset : "DIR",
      " --pretrained=", pretrained,
      labelled ? "" : "   (DIR contains train/ and val/, each with one folder per class)");
}

absl::Status Train(const base::Program& program, const World& world) {
  const std::set<std::string> given = base::SetFlags(kFile);
  absl::Status same = CheckSameSettings(*world.communicator,
                                        {{"print-config", base::PrintConfig() ? "true" : "false"}});
  if (!same.ok()) return same;
  if (absl::Status s = base::ApplyPreset(program, ""); !s.ok()) return s;
  auto place = FindPlace(world);
  if (!place.ok()) return place.status();
  auto initial = ReadInit(*place);
  if (!initial.ok()) return initial.status();
  std::string data_folder;
  if (FLAGS_data.empty()) {
    if (absl::Status s = base::ApplyPreset(program, "demo"); !s.ok()) return s;
    auto demo = data::DemoFolder();
    if (!demo.ok()) return demo.status();
    data_folder = *demo;
  } else {
    data_folder = FLAGS_data = base::UserPath(FLAGS_data);
    FLAGS_val = base::UserPath(FLAGS_val);
  }
  if (absl::Status s = CheckFlags(given, world); !s.ok()) return s;
  if (absl::Status s = CheckLook(world); !s.ok()) return s;
  if (FLAGS_threads > 0 || world.local_size > 1) {
    at::set_num_threads(
        static_cast<int>(FLAGS_threads > 0 ? FLAGS_threads : ShareOfThreads(0, world)));
  }

  auto data = OpenData(data_folder, world.communicator->size());
  // --print-config works without the data, which may be on another machine.
  if (!data.ok() && !(base::PrintConfig() && absl::IsNotFound(data.status()))) return data.status();
  const data::ViewDefaults usual = data.ok() ? data->train.dataset->views() : data::ViewDefaults();
  if (usual.size > 0) base::SetDefaults({{"image_size", absl::StrCat(usual.size)}});
  TrainerOptions options = Options(usual, *ImageChannels(FLAGS_arch), world);
  if (data.ok()) options.decode = data->train.decode;
  options.initial = *std::move(initial);
  if (options.initial != nullptr) options.init = options.initial->fingerprint;
  options.earlier = place->checkpoints();
  if (base::PrintConfig()) return world.writes() ? PrintConfig(options) : absl::OkStatus();
  const auto glance = data::Glance(
      *data->train.dataset,
      {.decode = data->train.decode, .view_size = FLAGS_views.empty() ? FLAGS_image_size : 0});
  if (!glance.ok()) return glance.status();
  const TrainerData trainer_data = {data->train.dataset.get(), data->bank.dataset.get(),
                                    data->test.dataset.get(), data->held_out()};
  if (OnlyLooks()) {
    PrintSettings(*data, *glance, options, world, "none is made; the program only looks");
    return LookBefore(options, trainer_data, PlaceOf(*data), place->path(), world);
  }
  base::CatchStopSignals();
  auto trainer = Trainer::Create(options, trainer_data, *world.communicator);
  if (!trainer.ok()) return trainer.status();

  if (absl::Status s =
          place->Open(world, base::Flagfile(kFile, kPlaceFlags), options.loader_threads);
      !s.ok()) {
    return s;
  }
  PrintSettings(*data, *glance, options, world, place->path());
  absl::Status s = (*trainer)->Run(place->folder());
  if (!s.ok() || !world.writes()) return s;
  const std::string checkpoints = place->folder()->File(options.checkpoint_prefix);
  std::printf("checkpoints are in %s\nnext: %s\n",
              std::filesystem::path(checkpoints).parent_path().c_str(),
              NextCommand(data_folder, *place->folder()).c_str());
  return absl::OkStatus();
}

}  // namespace

absl::Status Pretrain(int argc, char** argv, const Connection& connection) {
  const base::Program program{.usage = kUsage, .argument_flag = "data", .presets = Presets()};
  return RunWithPeers(argc, argv, program, connection,
                      [&](const World& world) { return Train(program, world); });
}

}  // namespace moco
