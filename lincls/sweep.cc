// Linear probes of a grid on features: bazel run //lincls:sweep -- TRAIN VAL
#include <ATen/Parallel.h>
#include <gflags/gflags.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "base/allocator.h"
#include "base/exit_code.h"
#include "base/files.h"
#include "base/flags.h"
#include "base/progress.h"
#include "base/run_folder.h"
#include "data/labels.h"
#include "lincls/classifier_checkpoint.h"
#include "lincls/encoders/frozen_backbone.h"
#include "lincls/encoders/pretrained.h"
#include "lincls/tables/feature_table.h"
#include "lincls/tables/labelled_features.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/checkpoints/state_dict.h"
#include "moco/communicators/communicator.h"
#include "moco/measures/linear_probe.h"
#include "moco/measures/linear_sweep.h"
#include "moco/schedules/schedule.h"
#include "registry/options.h"

DEFINE_string(
    features, "",
    "which features of the folders, one or several such as stage3,stage4,backbone; empty: "
    "the backbone's, or the only ones");
DEFINE_string(lr, "0.003 0.01 0.03 0.1 0.3 1 3 10 30 100", "learning rates at the start");
DEFINE_string(weight_decay, "0 1e-6 1e-4", "L2 penalties");
DEFINE_int64(epochs, 100, "passes over the training images");
DEFINE_int64(batch_size, 256, "images in a step");
DEFINE_string(schedule, "60 80", "epochs at which the rates drop to a tenth");
DEFINE_double(momentum, 0.9, "momentum of the optimizer");
DEFINE_uint64(seed, 0, "decides initial weights and order");
DEFINE_string(
    labels, "",
    "file (.csv) of file,label that take the place of TRAIN's own labels: a class's number "
    "or name; images that it lacks are left out");
DEFINE_string(pretrained, "",
              "checkpoint that the features are of; empty: where it was when they were made");
DEFINE_string(run_dir, "",
              "folder for sweep.csv and the best classifier; empty: ./runs/<time>-sweep");
DEFINE_int64(threads, 0, "threads that compute; 0: one for each core");

namespace lincls {
namespace {

constexpr char kUsage[] =
    R"(Trains linear classifiers on features, for a grid of learning rates and weight decays at once.

  bazel run //lincls:sweep -- TRAIN VAL
  bazel run //lincls:sweep -- TRAIN VAL --lr='1 10' --weight-decay=0 --features=stage3,stage4,backbone
  bazel run //lincls:sweep -- TRAIN VAL --labels=labels.csv

TRAIN and VAL are folders of //lincls:features, or .npy files with a .csv (file,label) beside each,
with commas between several of the same images.

)";
constexpr char kTable[] = "sweep.csv";
constexpr char kBackbone[] = "backbone";

using Clock = std::chrono::steady_clock;
using Table = std::shared_ptr<FeatureTable>;

struct Grid {
  std::vector<double> lr, weight_decay;
};

absl::StatusOr<Grid> CheckFlags() {
  const std::tuple<const char*, double, double, double> ranges[] = {
      {"epochs", FLAGS_epochs, 1, 1e6},
      {"batch_size", FLAGS_batch_size, 1, 1e6},
      {"momentum", FLAGS_momentum, 0, 1},
      {"threads", FLAGS_threads, 0, 1024}};
  for (const auto& [flag, value, low, high] : ranges) {
    if (absl::Status s = base::CheckFlag(flag, value, low, high); !s.ok()) return s;
  }
  auto lr = base::ReadNumbers("lr", FLAGS_lr, 0, 1e6);
  if (!lr.ok()) return lr.status();
  auto weight_decay = base::ReadNumbers("weight_decay", FLAGS_weight_decay, 0, 1e6);
  if (!weight_decay.ok()) return weight_decay.status();
  return Grid{*std::move(lr), *std::move(weight_decay)};
}

// --- What is trained on ---

// The paths of the features that a word names.
std::vector<std::string> Paths(const std::string& word) {
  std::vector<std::string> paths;
  if (FLAGS_features.empty()) {
    for (absl::string_view path : absl::StrSplit(word, ',')) {
      paths.push_back(base::UserPath(std::string(path)));
    }
  } else {
    for (absl::string_view name : absl::StrSplit(FLAGS_features, ',')) {
      paths.push_back(absl::StrCat(base::UserPath(word), "/", name, ".npy"));
    }
  }
  return paths;
}

// Of the same images, with the labels of the first.
absl::StatusOr<std::vector<Table>> OpenTables(const std::vector<std::string>& paths) {
  std::vector<Table> tables;
  for (const std::string& path : paths) {
    auto table = OpenFiniteFeatures(path);
    if (!table.ok()) return table.status();
    tables.push_back(*std::move(table));
    const FeatureTable &first = *tables.front(), &last = *tables.back();
    if (last.files != first.files || last.labels != first.labels) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", first.features.path(), "' and '", last.features.path(),
                       "' are not of the same images with the same labels"));
    }
  }
  return tables;
}

struct Sets {
  std::vector<Table> train, validation;
  moco::SweepData train_data, validation_data;
  int64_t classes = 0;
};

absl::StatusOr<moco::SweepData> DataOf(const std::vector<Table>& tables) {
  moco::SweepData data;
  for (const Table& table : tables) {
    auto rows = LabelledRowsOf(table, 1);
    if (!rows.ok()) return rows.status();
    data.features.push_back(std::move(rows->features));
    data.labels = rows->labels;
  }
  return data;
}

absl::StatusOr<Sets> OpenSets(const std::string& train_word, const std::string& validation_word) {
  const std::vector<std::string> train_paths = Paths(train_word),
                                 validation_paths = Paths(validation_word);
  if (train_paths.size() != validation_paths.size()) {
    return absl::InvalidArgumentError(absl::StrCat("TRAIN names ", train_paths.size(),
                                                   " features, VAL ", validation_paths.size(),
                                                   "; each wants its own"));
  }
  Sets sets;
  auto train = OpenTables(train_paths), validation = OpenTables(validation_paths);
  if (!train.ok()) return train.status();
  if (!validation.ok()) return validation.status();
  sets.train = *std::move(train);
  sets.validation = *std::move(validation);
  FeatureTable& first = *sets.train.front();
  for (size_t i = 0; i < sets.train.size(); ++i) {
    absl::Status s = CheckComparable(*sets.train[i], *sets.validation[i]);
    if (!s.ok()) return s;
  }
  if (first.classes.empty()) first.classes = sets.validation.front()->classes;
  if (!FLAGS_labels.empty()) {
    absl::Status s = TakeLabels(base::UserPath(FLAGS_labels), first);
    if (!s.ok()) return s;
  }
  for (const Table& table : sets.train) {
    table->classes = first.classes;
    table->labels = first.labels;
  }
  auto train_data = DataOf(sets.train), validation_data = DataOf(sets.validation);
  if (!train_data.ok()) return train_data.status();
  if (!validation_data.ok()) return validation_data.status();
  sets.train_data = *std::move(train_data);
  sets.validation_data = *std::move(validation_data);
  sets.classes = ClassesOf(first, *sets.validation.front());
  if (sets.classes < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", first.features.path(), "' has one class; a classifier wants two"));
  }
  const int64_t images = sets.train_data.labels.size(0);
  if (FLAGS_batch_size > images) {
    return absl::InvalidArgumentError(absl::StrCat("a batch of ", FLAGS_batch_size,
                                                   " cannot be filled from ", images,
                                                   " images; set --batch-size to 1 to ", images));
  }
  return sets;
}

// --- What the classifiers stand on ---

struct Encoder {
  std::string path;
  std::unique_ptr<FrozenBackbone> backbone;  // null: none is known, and no classifier is saved
  size_t features = 0;                       // which of the tables are its own
};

// The encoder of the first features that are a backbone's, of a checkpoint that is known.
absl::StatusOr<Encoder> OpenEncoder(const std::vector<Table>& tables) {
  const auto table = std::find_if(tables.begin(), tables.end(),
                                  [](const Table& t) { return t->name == kBackbone; });
  if (table == tables.end()) return Encoder();
  const std::string path =
      FLAGS_pretrained.empty() ? (*table)->checkpoint : base::UserPath(FLAGS_pretrained);
  if (path.empty()) return Encoder();
  const auto checkpoint = moco::ReadCheckpoint(path);
  if (!checkpoint.ok()) {
    return absl::Status(checkpoint.status().code(),
                        absl::StrCat(checkpoint.status().message(), "; the features are of this ",
                                     "checkpoint, say by --pretrained where it is now"));
  }
  if (!(*table)->weights.empty() && Fingerprint(checkpoint->state) != (*table)->weights) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path, "' does not hold the weights that '", (*table)->features.path(),
                     "' was made with; give --pretrained, or make the features again"));
  }
  auto encoder = FrozenBackbone::Create(*checkpoint, PrefixOf(*checkpoint), (*table)->arch);
  if (!encoder.ok()) return InFile(encoder.status(), path);
  if ((*encoder)->feature_dim() != (*table)->features.columns()) {
    return absl::InvalidArgumentError(absl::StrCat("'", path, "' has ", (*encoder)->feature_dim(),
                                                   " features, '", (*table)->features.path(), "' ",
                                                   (*table)->features.columns()));
  }
  return Encoder{path, *std::move(encoder), static_cast<size_t>(table - tables.begin())};
}

// --- The sweep ---

// A probe of the grid, and what it has come to.
struct Result {
  size_t features;  // which of the tables
  moco::SweepOptions::Probe probe;
  moco::ProbeMetrics last = {}, best = {};
  int64_t best_epoch = -1;              // from 0
  int64_t diverged = -1;                // the epoch, from 0; -1: it has not
  moco::LinearSweep::State state = {};  // in the best epoch, where it can be saved
};

// The best of those that have not diverged and of which `among` is true; null when there is none.
template <typename Among>
const Result* Best(const std::vector<Result>& results, Among among) {
  const Result* best = nullptr;
  for (const Result& r : results) {
    if (r.diverged >= 0 || !among(r)) continue;
    if (best == nullptr || r.best.acc1 > best->best.acc1) best = &r;
  }
  return best;
}

// What a person tells the features by: their name, or, where others have the same, their file.
std::string FeatureName(const Sets& sets, size_t features) {
  const FeatureTable& table = *sets.train[features];
  const bool alone = std::count_if(sets.train.begin(), sets.train.end(),
                                   [&](const Table& t) { return t->name == table.name; }) == 1;
  return alone ? table.name : table.features.path();
}

std::string Describe(const Sets& sets, const Result& r) {
  return absl::StrFormat("%s --lr=%g --weight-decay=%g", FeatureName(sets, r.features), r.probe.lr,
                         r.probe.weight_decay);
}

absl::StatusOr<std::unique_ptr<moco::Schedule>> MakeSchedule(const Sets& sets) {
  const int64_t steps = (sets.train_data.labels.size(0) + FLAGS_batch_size - 1) / FLAGS_batch_size;
  return moco::Schedules().Create(
      absl::StrCat("step:at=", absl::StrReplaceAll(FLAGS_schedule, {{",", " "}})),
      moco::ScheduleContext{FLAGS_epochs, steps});
}

// Trains and validates all probes.
absl::StatusOr<std::vector<Result>> RunSweep(const Sets& sets, const Grid& grid,
                                             const moco::Schedule& schedule, const Encoder& encoder,
                                             base::Progress& progress) {
  moco::SweepOptions options;
  for (const double lr : grid.lr) {
    for (const double decay : grid.weight_decay) options.grid.push_back({lr, decay});
  }
  options.classes = sets.classes;
  options.momentum = FLAGS_momentum;
  options.batch_size = FLAGS_batch_size;
  options.seed = FLAGS_seed;
  options.schedule = [&](int64_t step) { return schedule.Factor(step); };

  moco::LinearSweep sweep(options, sets.train_data);
  std::vector<Result> results;
  for (int64_t p = 0; p < sweep.probes(); ++p) {
    results.push_back({p / options.grid.size(), options.grid[p % options.grid.size()]});
  }
  const auto began = Clock::now();
  for (int64_t epoch = 0; epoch < FLAGS_epochs; ++epoch) {
    sweep.TrainEpoch();
    const std::vector<moco::ProbeMetrics> metrics = sweep.Evaluate(sets.validation_data);
    for (size_t p = 0; p < results.size(); ++p) {
      Result& r = results[p];
      if (r.diverged >= 0) continue;
      r.diverged = std::isfinite(metrics[p].loss) ? sweep.Diverged(p) : epoch;
      if (r.diverged >= 0) {
        progress.Print(
            absl::StrFormat("diverged %s in epoch %d", Describe(sets, r), r.diverged + 1));
        continue;
      }
      r.last = metrics[p];
      if (r.best_epoch >= 0 && r.last.acc1 <= r.best.acc1) continue;
      r.best = r.last;
      r.best_epoch = epoch;
      if (encoder.backbone && r.features == encoder.features) r.state = sweep.Copy(p);
    }
    const Result* best = Best(results, [](const Result&) { return true; });
    if (best == nullptr) {
      return absl::AbortedError("the loss of every probe is not finite; lower --lr");
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
    progress.Update(
        absl::StrFormat("epoch %d/%d  best so far Acc@1 %.2f %%  %s left", epoch + 1, FLAGS_epochs,
                        100 * best->best.acc1,
                        base::FormatSeconds(seconds / (epoch + 1) * (FLAGS_epochs - epoch - 1))));
  }
  progress.Print(absl::StrFormat(
      "trained  %d probes in %s", results.size(),
      base::FormatSeconds(std::chrono::duration<double>(Clock::now() - began).count())));
  return results;
}

// --- What is told and written ---

void PrintSettings(const Sets& sets, const Grid& grid, const Encoder& encoder,
                   const std::string& folder) {
  const auto print = [&](const char* what, const std::vector<Table>& tables,
                         const moco::SweepData& data) {
    const int64_t n = data.labels.size(0), without = tables[0]->size() - n;
    std::printf(
        "%-8s %lld images%s\n", what, static_cast<long long>(n),
        without > 0 ? absl::StrCat(", ", without, " without a label left out").c_str() : "");
    for (const Table& table : tables) {
      std::printf("         %s, %lld features: %s\n", table->name.c_str(),
                  static_cast<long long>(table->features.columns()),
                  table->features.path().c_str());
    }
  };
  print("train", sets.train, sets.train_data);
  print("val", sets.validation, sets.validation_data);
  std::printf("grid     --lr=%s x --weight-decay=%s x %zu features: %zu probes of %lld classes\n",
              absl::StrJoin(grid.lr, " ").c_str(), absl::StrJoin(grid.weight_decay, " ").c_str(),
              sets.train.size(), grid.lr.size() * grid.weight_decay.size() * sets.train.size(),
              static_cast<long long>(sets.classes));
  std::printf("training %lld epochs, batch %lld, rates drop at %s, seed %llu\n",
              static_cast<long long>(FLAGS_epochs), static_cast<long long>(FLAGS_batch_size),
              FLAGS_schedule.c_str(), static_cast<unsigned long long>(FLAGS_seed));
  std::printf(
      "note     features are of one view of each image, that of evaluation; //lincls:lincls trains "
      "on random crops and flips, which are left out here\n");
  if (!encoder.backbone) {
    std::printf(
        "note     no classifier is saved: that is of a backbone's features, of a checkpoint that "
        "is known (--pretrained)\n");
  }
  std::printf("run      %s\n", folder.c_str());
  std::fflush(stdout);
}

std::string Csv(const Sets& sets, const std::vector<Result>& results) {
  std::string csv =
      "features,lr,weight_decay,best_epoch,best_acc1,best_acc5,best_loss,last_acc1,last_acc5,"
      "last_loss,diverged_epoch\n";
  for (const Result& r : results) {
    absl::StrAppend(&csv, data::CsvField(FeatureName(sets, r.features)), ",",
                    registry::WriteValue(r.probe.lr), ",",
                    registry::WriteValue(r.probe.weight_decay), ",");
    if (r.diverged >= 0) {
      absl::StrAppendFormat(&csv, ",,,,,,,%d\n", r.diverged + 1);
      continue;
    }
    absl::StrAppend(&csv, r.best_epoch + 1);
    for (const double number :
         {r.best.acc1, r.best.acc5, r.best.loss, r.last.acc1, r.last.acc5, r.last.loss}) {
      absl::StrAppend(&csv, ",", registry::WriteValue(number));
    }
    absl::StrAppend(&csv, ",\n");
  }
  return csv;
}

void PrintTable(const Sets& sets, const std::vector<Result>& results, const Result* best,
                base::Progress& progress) {
  progress.Print(absl::StrFormat("%-35s  |  %-36s|  last epoch", "", "best epoch"));
  progress.Print(absl::StrFormat("%-12s%10s%13s  |%10s%10s%10s%7s  |%10s%10s%10s", "features", "lr",
                                 "weight decay", "Acc@1, %", "Acc@5, %", "loss", "epoch",
                                 "Acc@1, %", "Acc@5, %", "loss"));
  for (const Result& r : results) {
    std::string line = absl::StrFormat("%-12s%10g%13g  |", FeatureName(sets, r.features),
                                       r.probe.lr, r.probe.weight_decay);
    if (r.diverged >= 0) {
      absl::StrAppendFormat(&line, " diverged in epoch %d", r.diverged + 1);
    } else {
      absl::StrAppendFormat(&line, "%10.2f%10.2f%10.4f%7d%s |%10.2f%10.2f%10.4f", 100 * r.best.acc1,
                            100 * r.best.acc5, r.best.loss, r.best_epoch + 1,
                            &r == best ? "*" : " ", 100 * r.last.acc1, 100 * r.last.acc5,
                            r.last.loss);
    }
    progress.Print(line);
  }
}

// The classifier of a probe, as lincls would save it in its best epoch.
absl::Status Save(const Sets& sets, const Encoder& encoder, const Result& r,
                  const std::string& path) {
  const auto communicator = moco::Communicators().Create("single");
  if (!communicator.ok()) return communicator.status();
  const auto probe = moco::LinearProbe::Create({.features = encoder.backbone->feature_dim(),
                                                .classes = sets.classes,
                                                .momentum = FLAGS_momentum,
                                                .weight_decay = r.probe.weight_decay,
                                                .seed = FLAGS_seed},
                                               **communicator);
  if (!probe.ok()) return probe.status();
  absl::Status s = moco::CopyState(r.state.parameters, (*probe)->State());
  if (!s.ok()) return s;
  const moco::Optimizer& optimizer = (*probe)->optimizer();
  for (size_t i = 0; i < r.state.momentum.size(); ++i) {
    optimizer.State()[0].tensors[i].copy_(r.state.momentum[i].second);
  }
  const FeatureTable& table = *sets.train[r.features];
  moco::Checkpoint c = ClassifierCheckpoint(*encoder.backbone, **probe, table.eval_views,
                                            table.classes, encoder.path);
  c.epoch = r.best_epoch + 1;
  c.optimizer.lr = r.probe.lr;
  c.numbers["best_acc1"] = 100 * r.best.acc1;
  return moco::WriteCheckpoint(path, c);
}

absl::Status Sweep(int argc, char** argv) {
  const auto line = base::ParseCommandLine(
      argc, argv, {{"b", "batch_size"}, {"learning_rate", "lr"}, {"wd", "weight_decay"}},
      /*lists=*/{"lr", "weight_decay", "schedule"});
  if (!line.ok()) return line.status();
  if (line->help) {
    std::printf("%s%s", kUsage, base::FlagHelp("lincls/sweep.cc").c_str());
    return absl::OkStatus();
  }
  if (line->positional.size() != 2) {
    return absl::InvalidArgumentError("give the features: TRAIN VAL");
  }
  const auto grid = CheckFlags();
  if (!grid.ok()) return grid.status();
  if (FLAGS_threads > 0) at::set_num_threads(static_cast<int>(FLAGS_threads));
  const auto sets = OpenSets(line->positional[0], line->positional[1]);
  if (!sets.ok()) return sets.status();
  const auto schedule = MakeSchedule(*sets);
  if (!schedule.ok()) return schedule.status();
  const auto encoder = OpenEncoder(sets->train);
  if (!encoder.ok()) return encoder.status();
  const std::string path = FLAGS_run_dir.empty()
                               ? base::NewRunPath(base::UserPath("runs"), "-sweep")
                               : base::UserPath(FLAGS_run_dir);
  std::error_code error;
  for (const char* file : {kTable, kBestCheckpoint}) {
    const std::string there = absl::StrCat(path, "/", file);
    if (std::filesystem::exists(there, error)) {
      return absl::AlreadyExistsError(
          absl::StrCat("'", there, "' is there already; give another --run-dir"));
    }
  }
  auto folder = base::RunFolder::Open(path);
  if (!folder.ok()) return folder.status();

  PrintSettings(*sets, *grid, *encoder, path);
  base::Progress progress;
  const auto results = RunSweep(*sets, *grid, **schedule, *encoder, progress);
  if (!results.ok()) return results.status();
  const Result* best = Best(*results, [](const Result&) { return true; });
  PrintTable(*sets, *results, best, progress);
  progress.Print(absl::StrFormat("best     Acc@1 %.2f %% (epoch %d): %s", 100 * best->best.acc1,
                                 best->best_epoch + 1, Describe(*sets, *best)));
  absl::Status s = base::WriteFileAtomically(folder->File(kTable), Csv(*sets, *results));
  if (!s.ok()) return s;
  const Result* saved = Best(*results, [](const Result& r) { return !r.state.parameters.empty(); });
  if (saved == nullptr) return absl::OkStatus();
  const std::string file = folder->File(kBestCheckpoint);
  if (s = Save(*sets, *encoder, *saved, file); !s.ok()) return s;
  progress.Print(absl::StrFormat("saved    Acc@1 %.2f %%, %s: %s", 100 * saved->best.acc1,
                                 Describe(*sets, *saved), file));
  const FeatureTable& validation = *sets->validation[saved->features];
  if (!validation.data.empty() && validation.split == "validation") {
    progress.Print(absl::StrCat("next:    bazel run //lincls:lincls -- ",
                                base::ShellQuoted(validation.data),
                                " --evaluate --resume=", base::ShellQuoted(file)));
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace lincls

int main(int argc, char** argv) {
  base::KeepFreedMemory();
  return base::RunMain(lincls::Sweep, argc, argv);
}
