// Features of a data set's images by a pretrained encoder: bazel run //lincls:features -- DATA
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <gflags/gflags.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "augment/augmentation.h"
#include "base/allocator.h"
#include "base/exit_code.h"
#include "base/files.h"
#include "base/flags.h"
#include "base/progress.h"
#include "base/signals.h"
#include "data/dataset.h"
#include "data/demo/demo.h"
#include "data/loader.h"
#include "lincls/energies.h"
#include "lincls/feature_folder.h"
#include "lincls/feature_network.h"
#include "lincls/feature_table.h"
#include "lincls/pretrained.h"
#include "lincls/projector.h"
#include "moco/backbones/backbone.h"
#include "moco/checkpoint.h"
#include "moco/images.h"
#include "registry/spec.h"

DEFINE_string(data, "",
              "the images (docs/data.md), also as the word without a flag; empty: the demo's");
DEFINE_string(dataset, "", "form of the data, by the name of a plugin; empty: it is found out");
DEFINE_string(split, "pretraining", "pretraining, training or validation images");
DEFINE_string(pretrained, "", "checkpoint, or a run folder with some; empty: the newest in ./runs");
DEFINE_string(arch, "",
              "backbone, for a checkpoint that does not say it in full: a name or a spec such as "
              "resnet18:stem=cifar; empty: as the checkpoint says");
DEFINE_string(features, "backbone",
              "what is written: backbone, head, stage1, stage2, ..., or all that the network has");
DEFINE_string(dtype, "float32", "float32, or float16 in half of the space");
DEFINE_string(out, "", "folder; empty: features/<split> in the checkpoint's run folder");
DEFINE_string(eval_views, "",
              "pipeline that the images are seen through; empty: the one that the checkpoint "
              "holds, or what is usual for the data, or the reference's for 224 pixels");
DEFINE_string(columns, "",
              "further columns of images.csv: disagreement (of augmented views), moco_loss");
DEFINE_int64(augmented_views, 4, "of each image, for --columns=disagreement");
DEFINE_string(views, "", "pipeline of --columns; empty: that of the checkpoint's pretraining");
DEFINE_string(loss, "",
              "loss of --columns=moco_loss, such as info_nce:temperature=0.2; empty: that of the "
              "checkpoint's pretraining");
DEFINE_uint64(seed, 0, "decides the crops of --columns, and which images --projector shows");
DEFINE_int64(projector, 0,
             "write projector/ for TensorBoard, of at most so many images, such as 10000; 0: not");
DEFINE_int64(batch_size, 250, "images that are computed at once");
DEFINE_int64(workers, 32, "threads that load images; no more than there are cores");
DEFINE_int64(threads, 0, "threads that compute; 0: one for each core");
DEFINE_int64(max_bad_images, 100, "damaged images that are left out before the program stops");

namespace lincls {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kUsage[] =
    R"(Writes the features of images, by a pretrained encoder, as .npy files with a list beside them.

  bazel run //lincls:features                                  the demo, after bazel run //moco:pretrain
  bazel run //lincls:features -- DIR --pretrained=runs/<time>
  bazel run //lincls:features -- DIR --features=all --dtype=float16 --columns=disagreement,moco_loss
  bazel run //lincls:features -- DIR --projector=10000

Stopped, it goes on by the same command.

)";

// --- What is asked for ---

absl::Status CheckFlags() {
  for (const auto& [flag, value, low, high] : {std::tuple<const char*, double, double, double>{
                                                   "augmented_views", FLAGS_augmented_views, 2, 64},
                                               {"batch_size", FLAGS_batch_size, 1, 1e6},
                                               {"workers", FLAGS_workers, 0, 1e6},
                                               {"threads", FLAGS_threads, 0, 1024},
                                               {"projector", FLAGS_projector, 0, 100000},
                                               {"max_bad_images", FLAGS_max_bad_images, 0, 1e18}}) {
    if (absl::Status s = base::CheckFlag(flag, value, low, high); !s.ok()) return s;
  }
  if (FLAGS_dtype != "float32" && FLAGS_dtype != "float16") {
    return absl::InvalidArgumentError(
        absl::StrCat("--dtype is '", FLAGS_dtype, "', must be float32 or float16"));
  }
  return absl::OkStatus();
}

// The names in a list with commas between, each once, of those that are `known`.
absl::StatusOr<std::vector<std::string>> ReadNames(const std::string& flag, const std::string& text,
                                                   const std::vector<std::string>& known) {
  std::vector<std::string> names;
  for (const std::string name : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    if (std::count(known.begin(), known.end(), name) == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", flag, ": ", registry::UnknownMessage("name", name, known)));
    }
    if (std::count(names.begin(), names.end(), name) == 0) names.push_back(name);
  }
  return names;
}

// --- The images ---

// A list has a line for each image, which is found by its name.
absl::Status CheckNames(const data::Dataset& dataset) {
  std::vector<std::pair<size_t, int64_t>> hashes;
  for (int64_t i = 0; i < dataset.size(); ++i) {
    const std::string name = dataset.Name(i);
    if (name.find_first_of("\n\r") != std::string::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("the name of '", name, "' has a line break; a list of names has none"));
    }
    hashes.emplace_back(std::hash<std::string>()(name), i);
  }
  std::sort(hashes.begin(), hashes.end());
  for (size_t i = 1; i < hashes.size(); ++i) {
    const auto& [hash, first] = hashes[i - 1];
    if (hash != hashes[i].first || dataset.Name(first) != dataset.Name(hashes[i].second)) continue;
    return absl::InvalidArgumentError(absl::StrCat("'", dataset.Name(first), "' is image ", first,
                                                   " and image ", hashes[i].second,
                                                   "; name each image once"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<data::Loader>> StartLoader(const data::Dataset& dataset,
                                                          const augment::Pipeline& pipeline,
                                                          const FeatureFolder& folder,
                                                          int64_t batch_size, int loader_threads) {
  auto view = moco::MakeView(pipeline);
  if (!view.ok()) return view.status();
  data::LoaderOptions loader;
  loader.batch_size = batch_size;
  loader.rows = pipeline.output().rows;
  loader.cols = pipeline.output().cols;
  loader.channels = pipeline.output().channels;
  loader.views = {*view};
  loader.shuffle = false;
  loader.drop_last = false;
  loader.seed = FLAGS_seed;
  loader.threads = loader_threads;
  loader.first_step = folder.done() / loader.batch_size;
  loader.last_step = (dataset.size() + loader.batch_size - 1) / loader.batch_size;
  loader.max_bad_images = FLAGS_max_bad_images;
  for (const data::BadImage& bad : folder.bad_images()) loader.known_bad.insert(bad.index);
  return data::Loader::Create(dataset, loader);
}

// Rows `kept` of a matrix, or of a column.
std::vector<float> Rows(const at::Tensor& matrix, const std::vector<int64_t>& kept) {
  const at::Tensor rows = matrix.contiguous();
  const int64_t width = rows.size(1);
  std::vector<float> values;
  values.reserve(kept.size() * width);
  for (const int64_t row : kept) {
    const float* begin = rows.const_data_ptr<float>() + row * width;
    values.insert(values.end(), begin, begin + width);
  }
  return values;
}

std::vector<float> Rows(const std::vector<float>& column, const std::vector<int64_t>& kept) {
  std::vector<float> values;
  for (const int64_t row : kept) values.push_back(column[row]);
  return values;
}

// --- The program ---

struct Task {
  const data::Dataset& dataset;
  const FeatureNetwork& network;
  const augment::Pipeline& views;
  Energies* energies;  // null: no columns
  std::string folder_of_names, pretrained;
};

absl::Status NotFinite(const Task& task, const std::string& what, const std::string& file) {
  return absl::InvalidArgumentError(absl::StrCat("'", task.pretrained, "' gives '", file, "' ",
                                                 what,
                                                 " that are not finite; give a checkpoint of a run "
                                                 "whose loss was"));
}

// All batches that are not done yet.
absl::Status Compute(const Task& task, FeatureFolder& folder, data::Loader& loader) {
  base::Progress progress;
  const int64_t size = task.dataset.size(), done_before = folder.done();
  const auto start = Clock::now();
  while (folder.done() < size) {
    if (absl::Status stop = base::StopRequested(); !stop.ok()) {
      if (absl::Status s = folder.Sync(); !s.ok()) return s;
      return absl::Status(stop.code(),
                          absl::StrCat(stop.message(), " after ", folder.done(), " of ", size,
                                       " images; go on with the same command"));
    }
    const auto batch = loader.Next();
    if (!batch.ok()) return batch.status();
    FeatureFolder::Batch result;
    std::vector<int64_t> kept;  // rows that are not another's, in the place of a damaged image
    for (int64_t i = 0; i < (*batch)->size; ++i) {
      if ((*batch)->samples[i] != folder.done() + i) continue;
      kept.push_back(i);
      result.files.push_back(
          task.dataset.Name(folder.done() + i).substr(task.folder_of_names.size()));
      result.labels.push_back((*batch)->labels[i]);
    }
    result.images = (*batch)->size;
    const std::vector<at::Tensor> matrices =
        task.network(moco::ViewTensor(**batch, 0, task.views.output()));
    for (size_t m = 0; m < matrices.size(); ++m) {
      const std::string& name = task.network.outputs()[m].first;
      result.matrices.push_back(Rows(matrices[m], kept));
      const std::vector<float>& rows = result.matrices.back();
      const auto bad = std::find_if_not(rows.begin(), rows.end(),
                                        [](float value) { return std::isfinite(value); });
      if (bad == rows.end()) continue;
      const int64_t row = (bad - rows.begin()) / matrices[m].size(1);
      return NotFinite(task, name + " features", result.files[row]);
    }
    if (task.energies != nullptr) {
      const auto columns = task.energies->Next();
      if (!columns.ok()) return columns.status();
      for (const std::vector<float>& column : *columns) {
        result.columns.push_back(Rows(column, kept));
        const std::vector<float>& values = result.columns.back();
        const auto bad = std::find_if_not(values.begin(), values.end(),
                                          [](float value) { return std::isfinite(value); });
        if (bad != values.end()) {
          return NotFinite(task, "values of --columns", result.files[bad - values.begin()]);
        }
      }
    }
    result.bad_images = loader.bad_images();
    const size_t bad_before = folder.bad_images().size();
    if (absl::Status s = folder.Append(result); !s.ok()) return s;
    for (size_t i = bad_before; i < folder.bad_images().size(); ++i) {
      progress.Print(absl::StrCat("bad image ", i + 1, ": ", folder.bad_images()[i].why));
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    const double rate = (folder.done() - done_before) / seconds;
    progress.Update(absl::StrFormat("features of %d of %d images  %.0f images/s  %s left",
                                    folder.done(), size, rate,
                                    base::FormatSeconds((size - folder.done()) / rate)));
  }
  if (folder.rows() == 0) return absl::DataLossError("no image can be read");
  return folder.Finish();
}

absl::Status Features(int argc, char** argv) {
  const auto line =
      base::ParseCommandLine(argc, argv, {{"a", "arch"}, {"b", "batch_size"}, {"j", "workers"}});
  if (!line.ok()) return line.status();
  if (line->help) {
    std::printf("%s%s", kUsage, base::FlagHelp("lincls/features.cc").c_str());
    return absl::OkStatus();
  }
  if (line->positional.size() + !FLAGS_data.empty() > 1) {
    return absl::InvalidArgumentError(absl::StrCat("'", line->positional.back(),
                                                   "' is one word too many; the data's folder is "
                                                   "the only one without a flag"));
  }
  if (!line->positional.empty()) FLAGS_data = line->positional[0];
  if (absl::Status s = CheckFlags(); !s.ok()) return s;
  const auto split = data::ReadSplit(FLAGS_split);
  if (!split.ok()) return split.status();
  const auto columns = ReadNames("columns", FLAGS_columns, {kDisagreement, kMocoLoss});
  if (!columns.ok()) return columns.status();
  if (FLAGS_threads > 0) at::set_num_threads(static_cast<int>(FLAGS_threads));
  const int64_t cores = std::max(1u, std::thread::hardware_concurrency());
  const int loader_threads = static_cast<int>(std::min(FLAGS_workers, cores));

  // The checkpoint and the images.
  const auto pretrained = FindPretrained(base::UserPath(FLAGS_pretrained));
  if (!pretrained.ok()) return pretrained.status();
  const auto checkpoint = moco::ReadCheckpoint(*pretrained);
  if (!checkpoint.ok()) return checkpoint.status();
  const auto network = FeatureNetwork::Create(*checkpoint, FLAGS_arch);
  if (!network.ok()) return InFile(network.status(), *pretrained);
  const std::string arch = (*network)->backbone().spec();
  const int channels = *moco::ImageChannels(arch);
  const auto place = FLAGS_data.empty() ? data::DemoFolder() : base::UserPath(FLAGS_data);
  if (!place.ok()) return place.status();
  const auto opened = data::OpenDataset(*place, *split, FLAGS_dataset, channels);
  if (!opened.ok()) return opened.status();
  const data::Dataset& dataset = *opened->dataset;
  if (absl::Status s = CheckNames(dataset); !s.ok()) return s;
  const auto views = augment::Pipeline::Create(
      EvaluationViews(FLAGS_eval_views, *checkpoint, dataset.views(), channels), channels);
  if (!views.ok()) return views.status();
  if (const auto view = moco::MakeView(*views); !view.ok()) return view.status();
  absl::Status chosen =
      (*network)->Choose(FLAGS_features, views->output().rows, views->output().cols);
  if (!chosen.ok()) return InFile(chosen, *pretrained);
  std::unique_ptr<Energies> energies;
  const int64_t batch_size = std::min(FLAGS_batch_size, dataset.size());
  if (!columns->empty()) {
    auto made = Energies::Create({.columns = *columns,
                                  .views = FLAGS_views,
                                  .loss = FLAGS_loss,
                                  .augmented_views = FLAGS_augmented_views,
                                  .seed = FLAGS_seed,
                                  .arch = FLAGS_arch,
                                  .batch_size = batch_size,
                                  .loader_threads = loader_threads},
                                 *checkpoint, (*network)->backbone(), (*network)->head(), dataset);
    if (!made.ok()) return InFile(made.status(), *pretrained);
    energies = *std::move(made);
  }

  // The folder, which says all that decides the numbers.
  const std::string names_folder = CommonFolder(dataset);
  FeatureFolderOptions options;
  options.type = FLAGS_dtype == "float16" ? tensors::NpyType::kFloat16 : tensors::NpyType::kFloat32;
  nlohmann::ordered_json& settings = options.settings;
  settings = {{"data", *place},
              {"dataset", opened->format},
              {"split", FLAGS_split},
              {"folder", names_folder},
              {"images", dataset.size()},
              {"classes", dataset.classes()},
              {"checkpoint", *pretrained},
              {"weights", Fingerprint(checkpoint->state)},
              {"arch", arch},
              {"eval_views", views->spec()},
              {"features", nlohmann::ordered_json::object()},
              {"dtype", FLAGS_dtype},
              {"columns", *columns},
              {"batch_size", batch_size}};
  for (const auto& [name, width] : (*network)->outputs()) settings["features"][name] = width;
  if (energies) {
    settings["views"] = energies->views();
    settings["loss"] = energies->loss();
    settings["augmented_views"] = FLAGS_augmented_views;
    settings["seed"] = FLAGS_seed;
  }
  const std::string path = FLAGS_out.empty()
                               ? absl::StrCat(RunFolderOf(*pretrained), "/features/", FLAGS_split)
                               : base::UserPath(FLAGS_out);
  auto folder = FeatureFolder::Open(path, options);
  if (!folder.ok()) return folder.status();

  std::printf("data     %lld %s images, %s (%s)\n", static_cast<long long>(dataset.size()),
              FLAGS_split.c_str(), opened->place.c_str(), opened->format.c_str());
  std::printf("encoder  %s, from %s\n", arch.c_str(), pretrained->c_str());
  std::printf("views    %s\n", views->spec().c_str());
  std::printf("features %s, %s\n",
              absl::StrJoin((*network)->outputs(), ", ", absl::PairFormatter(" ")).c_str(),
              FLAGS_dtype.c_str());
  if (energies) {
    std::printf("columns  %s, of %s%s\n", absl::StrJoin(*columns, ", ").c_str(),
                energies->views().c_str(),
                (*network)->head() == nullptr ? ", in the backbone's output" : "");
  }
  std::printf("threads  %d compute, %d load\n", at::get_num_threads(), loader_threads);
  if ((*folder)->done() > 0 && !(*folder)->finished()) {
    std::printf("resumed  after %lld images\n", static_cast<long long>((*folder)->done()));
  }
  std::fflush(stdout);
  if (!(*folder)->finished()) {
    auto loader = StartLoader(dataset, *views, **folder, batch_size, loader_threads);
    if (!loader.ok()) return loader.status();
    if (energies) {
      absl::Status s = energies->Start((*folder)->done() / batch_size);
      if (!s.ok()) return s;
    }
    base::CatchStopSignals();
    const Task task{dataset, **network, *views, energies.get(), names_folder, *pretrained};
    if (absl::Status s = Compute(task, **folder, **loader); !s.ok()) return s;
  }
  std::printf("features of %lld images are in %s\n", static_cast<long long>((*folder)->rows()),
              path.c_str());
  if (FLAGS_projector == 0) return absl::OkStatus();
  const auto table = OpenFeatures(absl::StrCat(path, "/", (*network)->outputs()[0].first, ".npy"));
  if (!table.ok()) return table.status();
  const std::string projector = path + "/projector";
  const auto shown = WriteProjector(*table, FLAGS_projector, FLAGS_seed, projector);
  if (!shown.ok()) return shown.status();
  std::printf("%lld of them are shown by: tensorboard --logdir %s\n",
              static_cast<long long>(*shown), base::ShellQuoted(projector).c_str());
  return absl::OkStatus();
}

}  // namespace
}  // namespace lincls

int main(int argc, char** argv) {
  base::KeepFreedMemory();
  return base::RunMain(lincls::Features, argc, argv);
}
