// Linear probes of a grid on features: bazel run //lincls:sweep -- TRAIN VAL
#include <ATen/Parallel.h>
#include <gflags/gflags.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "base/flags.h"
#include "base/program.h"
#include "base/progress.h"
#include "base/run_folder.h"
#include "base/shared_flags.h"
#include "base/short_spins.h"
#include "base/usual_flags.h"
#include "data/loader.h"
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
#include "moco/measures/probe_grid.h"
#include "moco/report/predictions.h"
#include "moco/report/report.h"
#include "moco/report/run.h"
#include "moco/report/sweep_files.h"
#include "moco/schedules/schedule.h"
#include "moco/training/run_description.h"
#include "tensors/memory.h"

DEFINE_string(features, "",
              "[data] features to use from the folders, such as stage3,stage4,backbone; empty: the "
              "backbone's, or the only ones");
DEFINE_string(labels, "",
              "[data] file (.csv) of file,label that replaces TRAIN's labels: a class number or "
              "name; images that are not listed are left out");
DEFINE_string(
    pretrained, "",
    "[encoder] checkpoint that the features were computed with; empty: where it was then");
DEFINE_string(lr, "0.003 0.01 0.03 0.1 0.3 1 3 10 30 100",
              "[optimisation: numbers 0 to 1000000] initial learning rates");
DEFINE_string(weight_decay, "0 1e-6 1e-4", "[optimisation: numbers 0 to 1000000] L2 penalties");
DEFINE_int64(epochs, 100, "[optimisation: 1 to 1000000] passes over the training images");
MOCOPP_BATCH_SIZE_FLAG(256, "images per step");
DEFINE_string(schedule, "60 80",
              "[optimisation: numbers] epochs at which the learning rates drop to a tenth");
DEFINE_double(momentum, 0.9, "[optimisation: 0 to 1] momentum of the optimizer");
MOCOPP_SEED_FLAG;
DEFINE_string(run_dir, "",
              "[run] folder for sweep.csv and the best classifier; empty: ./runs/<time>-sweep");
MOCOPP_THREADS_FLAG;
MOCOPP_REPORT_FLAG;

namespace lincls {
namespace {

constexpr char kUsage[] =
    R"(Trains linear classifiers on features, for a grid of learning rates and weight decays at once.

  bazel run //lincls:sweep -- TRAIN VAL
  bazel run //lincls:sweep -- TRAIN VAL --lr='1 10' --weight-decay=0 --features=stage3,stage4,backbone
  bazel run //lincls:sweep -- TRAIN VAL --labels=labels.csv

TRAIN and VAL are folders of //lincls:features, or .npy files with a .csv (file,label) beside each;
several files of the same images are separated by commas.
)";
constexpr char kFile[] = "lincls/sweep.cc";
constexpr char kBackbone[] = "backbone";

using Clock = std::chrono::steady_clock;
using Table = std::shared_ptr<FeatureTable>;

struct Grid {
  std::vector<double> lr, weight_decay;
};

absl::StatusOr<Grid> ReadGrid() {
  auto lr = base::NumbersOf("lr");
  if (!lr.ok()) return lr.status();
  auto weight_decay = base::NumbersOf("weight_decay");
  if (!weight_decay.ok()) return weight_decay.status();
  return Grid{*std::move(lr), *std::move(weight_decay)};
}

// --- What is trained on ---

// The paths of the features that a positional argument names.
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

// All tables must be of the same images; the labels are those of the first.
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
                                                   "; give as many"));
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
    return absl::InvalidArgumentError(absl::StrCat(
        "'", first.features.path(), "' has one class; a classifier needs at least two"));
  }
  const int64_t images = sets.train_data.labels.size(0);
  if (FLAGS_batch_size > images) {
    return data::BatchCannotBeFilled(FLAGS_batch_size, images);
  }
  return sets;
}

// --- What the classifiers stand on ---

struct Encoder {
  std::string path;
  std::unique_ptr<FrozenBackbone> backbone;  // null: unknown, so no classifier is saved
  size_t features = 0;                       // which of the tables contains its features
};

// Finds the encoder of the first features that come from a backbone and from a known checkpoint.
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
                        absl::StrCat(checkpoint.status().message(), "; the features were computed ",
                                     "with this checkpoint; give its path by --pretrained"));
  }
  if (!(*table)->weights.empty() && Fingerprint(*checkpoint) != (*table)->weights) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path, "' does not hold the weights that '", (*table)->features.path(),
                     "' was computed with; give --pretrained, or compute the features again"));
  }
  auto encoder = FrozenBackbone::Create(*checkpoint, {(*table)->arch, (*table)->encoder_prefix});
  if (!encoder.ok()) return base::InFile(encoder.status(), path);
  if ((*encoder)->feature_dim() != (*table)->features.columns()) {
    return absl::InvalidArgumentError(absl::StrCat("'", path, "' has ", (*encoder)->feature_dim(),
                                                   " features, '", (*table)->features.path(), "' ",
                                                   (*table)->features.columns()));
  }
  return Encoder{path, *std::move(encoder), static_cast<size_t>(table - tables.begin())};
}

// --- The sweep ---

// The name of features in the output: their name or, if others have the same, their file.
std::string FeatureName(const Sets& sets, size_t features) {
  const FeatureTable& table = *sets.train[features];
  const bool alone = std::count_if(sets.train.begin(), sets.train.end(),
                                   [&](const Table& t) { return t->name == table.name; }) == 1;
  return alone ? table.name : table.features.path();
}

std::vector<std::string> FeatureNames(const Sets& sets) {
  std::vector<std::string> names;
  for (size_t i = 0; i < sets.train.size(); ++i) names.push_back(FeatureName(sets, i));
  return names;
}

std::string Describe(const Sets& sets, const moco::ProbeResult& r) {
  return absl::StrFormat("%s --lr=%g --weight-decay=%g", FeatureName(sets, r.features), r.probe.lr,
                         r.probe.weight_decay);
}

int64_t StepsPerEpoch(const Sets& sets) {
  return (sets.train_data.labels.size(0) + FLAGS_batch_size - 1) / FLAGS_batch_size;
}

absl::StatusOr<std::unique_ptr<moco::Schedule>> MakeSchedule(const Sets& sets) {
  return moco::Schedules().Create(
      absl::StrCat("step:at=", absl::StrReplaceAll(FLAGS_schedule, {{",", " "}})),
      moco::ScheduleContext{FLAGS_epochs, StepsPerEpoch(sets)});
}

absl::StatusOr<std::vector<moco::ProbeResult>> RunSweep(const Sets& sets, const Grid& grid,
                                                        const moco::Schedule& schedule,
                                                        const Encoder& encoder,
                                                        base::RunFolder& folder,
                                                        base::Progress& progress) {
  const auto began = Clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(Clock::now() - began).count(); };
  moco::GridOptions options;
  for (const double lr : grid.lr) {
    for (const double decay : grid.weight_decay) options.sweep.grid.push_back({lr, decay});
  }
  options.sweep.classes = sets.classes;
  options.sweep.momentum = FLAGS_momentum;
  options.sweep.batch_size = FLAGS_batch_size;
  options.sweep.seed = FLAGS_seed;
  options.sweep.schedule = [&](int64_t step) { return schedule.Factor(step); };
  options.epochs = FLAGS_epochs;
  if (encoder.backbone) options.keep_state_of = static_cast<int64_t>(encoder.features);
  options.on_divergence = [&](const moco::ProbeResult& r) {
    progress.Print(absl::StrFormat("diverged %s in epoch %d", Describe(sets, r), r.diverged + 1));
  };
  const std::vector<std::string> names = FeatureNames(sets);
  absl::Status written = folder.Append(report::kEpochsFile, moco::kEpochCsvHeading);
  options.on_epoch = [&](int64_t done, const std::vector<moco::ProbeResult>& all,
                         const moco::ProbeResult& best) {
    absl::Status s = folder.Append(report::kEpochsFile, moco::EpochCsv(all, done, names));
    if (written.ok() && !s.ok()) {  // the report then has no curves
      progress.Print(absl::StrCat("warning: ", s.message()));
      written = s;
    }
    progress.Update(absl::StrFormat("epoch %d/%d  best so far Acc@1 %.2f %%  %s left", done,
                                    FLAGS_epochs, 100 * best.best.acc1,
                                    base::FormatSeconds(seconds() / done * (FLAGS_epochs - done))));
  };
  auto results = moco::TrainGrid(options, sets.train_data, sets.validation_data);
  if (results.ok()) {
    progress.Print(absl::StrFormat("trained  %d probes in %s", results->size(),
                                   base::FormatSeconds(seconds())));
  }
  return results;
}

// --- Output ---

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
      "note     these features see each image in its evaluation view only; //lincls:lincls trains "
      "on "
      "random crops and flips\n");
  if (!encoder.backbone) {
    std::printf(
        "note     no classifier will be saved: that needs backbone features and their checkpoint; "
        "give --pretrained\n");
  }
  std::printf("run      %s\n", folder.c_str());
  std::fflush(stdout);
}

void PrintTable(const Sets& sets, const std::vector<moco::ProbeResult>& results,
                const moco::ProbeResult* best, base::Progress& progress) {
  progress.Print(absl::StrFormat("%-35s  |  %-36s|  last epoch", "", "best epoch"));
  progress.Print(absl::StrFormat("%-12s%10s%13s  |%10s%10s%10s%7s  |%10s%10s%10s", "features", "lr",
                                 "weight decay", "Acc@1, %", "Acc@5, %", "loss", "epoch",
                                 "Acc@1, %", "Acc@5, %", "loss"));
  for (const moco::ProbeResult& r : results) {
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

// Returns the classifier of a probe, as lincls would save it in its best epoch.
absl::Status Save(const Sets& sets, const Encoder& encoder, const moco::ProbeResult& r,
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

// --- For the report ---

// A positional argument that means the same in any folder.
std::string FromAnywhere(const std::string& word) {
  if (!FLAGS_features.empty()) return base::UserPath(word);
  return absl::StrJoin(Paths(word), ",");
}

// Writes flags.txt, environment.json and settings.json.
absl::Status Describe(const Sets& sets, const base::Arguments& arguments,
                      const base::RunFolder& folder) {
  for (std::string* path : {&FLAGS_labels, &FLAGS_pretrained}) {
    if (!path->empty()) *path = base::UserPath(*path);
  }
  absl::Status s =
      moco::WriteRunDescription(folder, base::Flagfile(kFile, {"run_dir"}), /*loader_threads=*/0);
  if (!s.ok()) return s;
  report::Settings settings{.program = "//lincls:sweep",
                            .usual = base::UsualFlags({}),
                            .steps = FLAGS_epochs * StepsPerEpoch(sets),
                            .steps_per_epoch = StepsPerEpoch(sets)};
  for (const std::string& word : arguments) settings.arguments.push_back(FromAnywhere(word));
  const FeatureTable& table = *sets.validation.front();
  settings.facts = {{"arch", table.arch},
                    {"data", absl::StrCat(sets.train_data.labels.size(0), " images")}};
  if (const data::DataSource& source = table.source; !source.path.empty()) {
    settings.images = {{"data", source.path},
                       {"val", source.validation},
                       {"dataset", source.format},
                       {"exif", source.decode.apply_exif ? "apply" : "ignore"},
                       {"max-megapixels", absl::StrCat(source.decode.max_pixels / 1'000'000)},
                       {"range", source.range},
                       {"pages", source.pages},
                       {"split", table.split}};
  }
  return base::WriteFileAtomically(folder.File(report::kSettingsFile),
                                   report::SettingsText(settings));
}

// The predictions of the best probe for the validation images with a label.
absl::Status WritePredictions(const Sets& sets, const moco::ProbeResult& best,
                              const base::RunFolder& folder) {
  const FeatureTable& table = *sets.validation.front();
  const std::vector<std::string>& classes = sets.train.front()->classes;
  const auto name = [&](int64_t label) {
    return label < static_cast<int64_t>(classes.size()) ? classes[label] : absl::StrCat(label);
  };
  std::vector<report::Prediction> predictions;
  for (int64_t row = 0; row < table.size(); ++row) {
    if (table.labels[row] < 0) continue;
    const auto i = static_cast<int64_t>(predictions.size());
    predictions.push_back({table.folder + table.files[row], name(table.labels[row]),
                           name(best.predictions.classes.const_data_ptr<int64_t>()[i]),
                           best.predictions.probabilities.const_data_ptr<float>()[i]});
  }
  return base::WriteFileAtomically(folder.File(report::kPredictionsFile),
                                   report::PredictionsCsv(predictions));
}

absl::Status Sweep(const base::Arguments& arguments) {
  const auto grid = ReadGrid();
  if (!grid.ok()) return grid.status();
  if (FLAGS_threads > 0) at::set_num_threads(static_cast<int>(FLAGS_threads));
  const auto sets = OpenSets(arguments[0], arguments[1]);
  if (!sets.ok()) return sets.status();
  const auto schedule = MakeSchedule(*sets);
  if (!schedule.ok()) return schedule.status();
  const auto encoder = OpenEncoder(sets->train);
  if (!encoder.ok()) return encoder.status();
  const std::string path = FLAGS_run_dir.empty()
                               ? base::NewRunPath(base::UserPath("runs"), "-sweep")
                               : base::UserPath(FLAGS_run_dir);
  std::error_code error;
  for (const char* file : {report::kSweepFile, kBestCheckpoint, "metrics.jsonl"}) {
    const std::string there = absl::StrCat(path, "/", file);
    if (std::filesystem::exists(there, error)) {
      return absl::AlreadyExistsError(
          absl::StrCat("'", there, "' already exists; give another --run-dir"));
    }
  }
  auto folder = base::RunFolder::Open(path);
  if (!folder.ok()) return folder.status();
  std::filesystem::remove(folder->File(report::kEpochsFile), error);  // of a sweep that was stopped
  if (absl::Status s = Describe(*sets, arguments, *folder); !s.ok()) return s;

  PrintSettings(*sets, *grid, *encoder, path);
  base::Progress progress;
  const auto results = RunSweep(*sets, *grid, **schedule, *encoder, *folder, progress);
  if (!results.ok()) return results.status();
  const moco::ProbeResult* best = moco::BestProbe(*results);
  PrintTable(*sets, *results, best, progress);
  progress.Print(absl::StrFormat("best     Acc@1 %.2f %% (epoch %d): %s", 100 * best->best.acc1,
                                 best->best_epoch + 1, Describe(*sets, *best)));
  absl::Status s = WritePredictions(*sets, *best, *folder);
  if (!s.ok()) return s;
  s = base::WriteFileAtomically(folder->File(report::kSweepFile),
                                moco::GridCsv(*results, FeatureNames(*sets)));
  if (!s.ok()) return s;
  if (FLAGS_report) {
    const absl::Status reported = report::WriteReport(path);
    progress.Print(reported.ok() ? absl::StrCat("report   ", folder->File(report::kReportFile))
                                 : absl::StrCat("warning: ", reported.message()));
  }
  const moco::ProbeResult* saved = moco::BestProbe(*results, /*kept=*/true);
  if (saved == nullptr) return absl::OkStatus();
  const std::string file = folder->File(kBestCheckpoint);
  if (s = Save(*sets, *encoder, *saved, file); !s.ok()) return s;
  progress.Print(absl::StrFormat("saved    Acc@1 %.2f %%, %s: %s", 100 * saved->best.acc1,
                                 Describe(*sets, *saved), file));
  const FeatureTable& validation = *sets->validation[saved->features];
  if (!validation.source.path.empty() && validation.split == "validation") {
    progress.Print(absl::StrCat("next:    bazel run //lincls:lincls -- ",
                                base::ShellQuoted(validation.source.path),
                                " --evaluate --resume=", base::ShellQuoted(file)));
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace lincls

int main(int argc, char** argv) {
  tensors::KeepFreedMemory();
  const base::ShortSpins spins;
  return base::Main(argc, argv, {.usage = lincls::kUsage, .arguments = "TRAIN VAL"}, lincls::Sweep);
}
