// Features of a data set's images by a pretrained encoder: bazel run //lincls:features -- DATA
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <c10/core/DeviceType.h>
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
#include "absl/strings/strip.h"
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
#include "lincls/encoders/feature_network.h"
#include "lincls/encoders/pretrained.h"
#include "lincls/tables/columns.h"
#include "lincls/tables/feature_folder.h"
#include "lincls/tables/feature_table.h"
#include "lincls/tables/projector.h"
#include "moco/backbones/backbone.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/training/cuda_devices.h"
#include "moco/training/images.h"
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
DEFINE_string(device, "", "cpu or cuda; empty: cuda where there is a device, else cpu");
DEFINE_int64(batch_size, 250, "images that are computed at once");
DEFINE_int64(workers, 32, "threads that load images; no more than there are cores");
DEFINE_int64(threads, 0, "threads that compute; 0: one for each core");
DEFINE_int64(max_bad_images, 100, "damaged images that are left out before the program stops");

namespace lincls {
namespace {

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

// The columns that are asked for, each once.
absl::StatusOr<std::vector<std::string>> ReadColumns() {
  const std::vector<std::string> known = {kDisagreementColumn, kMocoLossColumn};
  std::vector<std::string> columns;
  for (absl::string_view text : absl::StrSplit(FLAGS_columns, ',', absl::SkipWhitespace())) {
    const std::string name(absl::StripAsciiWhitespace(text));
    if (std::count(known.begin(), known.end(), name) == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("--columns: ", registry::UnknownMessage("column", name, known)));
    }
    if (std::count(columns.begin(), columns.end(), name) == 0) columns.push_back(name);
  }
  return columns;
}

// --- What features are made of ---

int LoaderThreads() {
  const int64_t cores = std::max(1u, std::thread::hardware_concurrency());
  return static_cast<int>(std::min(FLAGS_workers, cores));
}

struct Inputs {
  std::string checkpoint, weights;  // its path, and its tensors' fingerprint
  std::unique_ptr<FeatureNetwork> network;
  std::string place;
  data::Opened opened;
  std::string names_folder;  // that the images' names have in common
  std::unique_ptr<augment::Pipeline> views;
  int64_t batch_size = 0;
  std::vector<std::string> columns;
  std::unique_ptr<ImageColumns> energies;  // null: no columns

  const data::Dataset& dataset() const { return *opened.dataset; }
};

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

// Everything that can be wrong with them, but for the images, is found here.
absl::StatusOr<std::unique_ptr<Inputs>> OpenInputs() {
  auto inputs = std::make_unique<Inputs>();
  const auto split = data::ReadSplit(FLAGS_split);
  if (!split.ok()) return split.status();
  auto columns = ReadColumns();
  if (!columns.ok()) return columns.status();
  inputs->columns = *std::move(columns);

  const auto path = FindPretrained(base::UserPath(FLAGS_pretrained));
  if (!path.ok()) return path.status();
  inputs->checkpoint = *path;
  const auto checkpoint = moco::ReadCheckpoint(*path);
  if (!checkpoint.ok()) return checkpoint.status();
  inputs->weights = Fingerprint(checkpoint->state);
  auto network = FeatureNetwork::Create(*checkpoint, FLAGS_arch);
  if (!network.ok()) return InFile(network.status(), *path);
  inputs->network = *std::move(network);
  const auto device = moco::ChooseDevice(FLAGS_device, /*number=*/0);
  if (!device.ok()) return device.status();
  inputs->network->To(*device);
  const int channels = *moco::ImageChannels(inputs->network->backbone().spec());

  auto place = FLAGS_data.empty() ? data::DemoFolder() : base::UserPath(FLAGS_data);
  if (!place.ok()) return place.status();
  inputs->place = *std::move(place);
  auto opened = data::OpenDataset(inputs->place, *split, FLAGS_dataset, channels);
  if (!opened.ok()) return opened.status();
  inputs->opened = *std::move(opened);
  const data::Dataset& dataset = inputs->dataset();
  if (absl::Status s = CheckNames(dataset); !s.ok()) return s;
  inputs->names_folder = CommonFolder(dataset);
  inputs->batch_size = std::min(FLAGS_batch_size, dataset.size());

  auto views = augment::Pipeline::Create(
      EvaluationViews(FLAGS_eval_views, *checkpoint, dataset.views(), channels), channels);
  if (!views.ok()) return views.status();
  if (const auto view = moco::MakeView(*views); !view.ok()) return view.status();
  inputs->views = std::make_unique<augment::Pipeline>(*std::move(views));
  const augment::ImageType& image = inputs->views->output();
  absl::Status chosen = inputs->network->Choose(FLAGS_features, image.rows, image.cols);
  if (!chosen.ok()) return InFile(chosen, *path);
  if (inputs->columns.empty()) return inputs;
  auto energies = ImageColumns::Create({.columns = inputs->columns,
                                        .views = FLAGS_views,
                                        .loss = FLAGS_loss,
                                        .augmented_views = FLAGS_augmented_views,
                                        .seed = FLAGS_seed,
                                        .arch = FLAGS_arch,
                                        .batch_size = inputs->batch_size,
                                        .loader_threads = LoaderThreads()},
                                       *checkpoint, inputs->network->backbone(),
                                       inputs->network->head(), dataset);
  if (!energies.ok()) return InFile(energies.status(), *path);
  inputs->energies = *std::move(energies);
  return inputs;
}

std::string DeviceName(const Inputs& inputs) {
  return c10::DeviceTypeName(inputs.network->backbone().device().type(), /*lower_case=*/true);
}

// All that decides the numbers.
FeatureFolderOptions FolderOptions(const Inputs& inputs) {
  FeatureFolderOptions options;
  options.type = FLAGS_dtype == "float16" ? tensors::NpyType::kFloat16 : tensors::NpyType::kFloat32;
  nlohmann::ordered_json& settings = options.settings;
  settings = {{"data", inputs.place},
              {"dataset", inputs.opened.format},
              {"split", FLAGS_split},
              {"folder", inputs.names_folder},
              {"images", inputs.dataset().size()},
              {"classes", inputs.dataset().classes()},
              {"checkpoint", inputs.checkpoint},
              {"weights", inputs.weights},
              {"arch", inputs.network->backbone().spec()},
              {"eval_views", inputs.views->spec()},
              {"features", nlohmann::ordered_json::object()},
              {"dtype", FLAGS_dtype},
              {"columns", inputs.columns},
              {"batch_size", inputs.batch_size},
              {"device", DeviceName(inputs)}};
  for (const auto& [name, width] : inputs.network->outputs()) settings["features"][name] = width;
  if (inputs.energies) {
    settings["views"] = inputs.energies->views();
    settings["loss"] = inputs.energies->loss();
    settings["augmented_views"] = FLAGS_augmented_views;
    settings["seed"] = FLAGS_seed;
  }
  return options;
}

void PrintSettings(const Inputs& inputs, const FeatureFolder& folder) {
  std::printf("data     %lld %s images, %s (%s)\n", static_cast<long long>(inputs.dataset().size()),
              FLAGS_split.c_str(), inputs.opened.place.c_str(), inputs.opened.format.c_str());
  std::printf("encoder  %s, from %s\n", inputs.network->backbone().spec().c_str(),
              inputs.checkpoint.c_str());
  std::printf("views    %s\n", inputs.views->spec().c_str());
  std::printf("features %s, %s\n",
              absl::StrJoin(inputs.network->outputs(), ", ", absl::PairFormatter(" ")).c_str(),
              FLAGS_dtype.c_str());
  if (inputs.energies) {
    std::printf("columns  %s%s, of views %s\n", absl::StrJoin(inputs.columns, ", ").c_str(),
                inputs.network->head() == nullptr ? " (in the backbone's output)" : "",
                inputs.energies->views().c_str());
  }
  std::printf("device   %s; %d threads compute, %d load\n", DeviceName(inputs).c_str(),
              at::get_num_threads(), LoaderThreads());
  if (folder.done() > 0 && !folder.finished()) {
    std::printf("resumed  after %lld images\n", static_cast<long long>(folder.done()));
  }
  std::fflush(stdout);
}

// --- The images ---

absl::StatusOr<std::unique_ptr<data::Loader>> StartLoader(const Inputs& inputs,
                                                          const FeatureFolder& folder) {
  auto view = moco::MakeView(*inputs.views);
  if (!view.ok()) return view.status();
  data::LoaderOptions loader;
  loader.batch_size = inputs.batch_size;
  loader.rows = inputs.views->output().rows;
  loader.cols = inputs.views->output().cols;
  loader.channels = inputs.views->output().channels;
  loader.views = {*view};
  loader.shuffle = false;
  loader.drop_last = false;
  loader.seed = FLAGS_seed;
  loader.threads = LoaderThreads();
  loader.first_step = folder.done() / loader.batch_size;
  loader.last_step = (inputs.dataset().size() + loader.batch_size - 1) / loader.batch_size;
  loader.max_bad_images = FLAGS_max_bad_images;
  for (const data::BadImage& bad : folder.bad_images()) loader.known_bad.insert(bad.index);
  return data::Loader::Create(inputs.dataset(), loader);
}

// Rows `kept` of a matrix, or of a column.
std::vector<float> Rows(const at::Tensor& matrix, const std::vector<int64_t>& kept) {
  const at::Tensor rows = matrix.cpu().contiguous();
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

// InvalidArgument when a value is not finite. `what` they are: `width` of each of `files`.
absl::Status CheckFinite(const Inputs& inputs, const std::string& what,
                         const std::vector<float>& values, int64_t width,
                         const std::vector<std::string>& files) {
  const auto bad = std::find_if_not(values.begin(), values.end(),
                                    [](float value) { return std::isfinite(value); });
  if (bad == values.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("'", inputs.checkpoint, "' gives '", files[(bad - values.begin()) / width],
                   "' a ", what, " of ", *bad, "; give a checkpoint of before its run went wrong"));
}

// What the network makes of a batch, without the rows of others that have taken the place of
// damaged images.
absl::StatusOr<FeatureFolder::Batch> ComputeBatch(const Inputs& inputs, const data::Batch& batch,
                                                  int64_t first_image) {
  FeatureFolder::Batch result;
  result.images = batch.size;
  std::vector<int64_t> kept;
  for (int64_t i = 0; i < batch.size; ++i) {
    if (batch.samples[i] != first_image + i) continue;
    kept.push_back(i);
    result.files.push_back(
        inputs.dataset().Name(first_image + i).substr(inputs.names_folder.size()));
    result.labels.push_back(batch.labels[i]);
  }
  const std::vector<at::Tensor> matrices =
      (*inputs.network)(moco::ViewTensor(batch, 0, inputs.views->output()));
  for (size_t m = 0; m < matrices.size(); ++m) {
    result.matrices.push_back(Rows(matrices[m], kept));
    const auto& [name, width] = inputs.network->outputs()[m];
    absl::Status s = CheckFinite(inputs, name, result.matrices.back(), width, result.files);
    if (!s.ok()) return s;
  }
  if (!inputs.energies) return result;
  const auto columns = inputs.energies->Next();
  if (!columns.ok()) return columns.status();
  for (size_t c = 0; c < columns->size(); ++c) {
    result.columns.push_back(Rows((*columns)[c], kept));
    absl::Status s = CheckFinite(inputs, inputs.columns[c], result.columns.back(), 1, result.files);
    if (!s.ok()) return s;
  }
  return result;
}

// --- The program ---

// All batches that are not done yet.
absl::Status Compute(const Inputs& inputs, FeatureFolder& folder) {
  auto loader = StartLoader(inputs, folder);
  if (!loader.ok()) return loader.status();
  if (inputs.energies) {
    absl::Status s = inputs.energies->Start(folder.done() / inputs.batch_size);
    if (!s.ok()) return s;
  }
  base::CatchStopSignals();
  base::Progress progress;
  const int64_t size = inputs.dataset().size(), done_before = folder.done();
  const auto start = std::chrono::steady_clock::now();
  while (folder.done() < size) {
    if (absl::Status stop = base::StopRequested(); !stop.ok()) {
      if (absl::Status s = folder.Sync(); !s.ok()) return s;
      return absl::Status(stop.code(),
                          absl::StrCat(stop.message(), " after ", folder.done(), " of ", size,
                                       " images; go on with the same command"));
    }
    const auto batch = (*loader)->Next();
    if (!batch.ok()) return batch.status();
    auto result = ComputeBatch(inputs, **batch, folder.done());
    if (!result.ok()) return result.status();
    result->bad_images = (*loader)->bad_images();
    const size_t bad_before = folder.bad_images().size();
    if (absl::Status s = folder.Append(*result); !s.ok()) return s;
    for (size_t i = bad_before; i < folder.bad_images().size(); ++i) {
      progress.Print(absl::StrCat("bad image ", i + 1, ": ", folder.bad_images()[i].why));
    }
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    const double rate = (folder.done() - done_before) / time.count();
    progress.Update(absl::StrFormat("features of %d of %d images  %.0f images/s  %s left",
                                    folder.done(), size, rate,
                                    base::FormatSeconds((size - folder.done()) / rate)));
  }
  if (folder.rows() == 0)
    return absl::DataLossError(absl::StrCat("no image of '", inputs.opened.place, "' can be read"));
  return folder.Finish();
}

absl::Status Project(const Inputs& inputs, const std::string& path) {
  const std::string matrix = absl::StrCat(path, "/", inputs.network->outputs()[0].first, ".npy");
  const auto table = OpenFeatures(matrix);
  if (!table.ok()) return table.status();
  const std::string folder = path + "/projector";
  const auto shown = WriteProjector(*table, FLAGS_projector, FLAGS_seed, folder);
  if (!shown.ok()) return shown.status();
  std::printf("%lld of them are shown by: tensorboard --logdir %s\n",
              static_cast<long long>(*shown), base::ShellQuoted(folder).c_str());
  return absl::OkStatus();
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
  if (FLAGS_threads > 0) at::set_num_threads(static_cast<int>(FLAGS_threads));
  const auto inputs = OpenInputs();
  if (!inputs.ok()) return inputs.status();
  const std::string path = FLAGS_out.empty() ? absl::StrCat(RunFolderOf((*inputs)->checkpoint),
                                                            "/features/", FLAGS_split)
                                             : base::UserPath(FLAGS_out);
  const auto folder = FeatureFolder::Open(path, FolderOptions(**inputs));
  if (!folder.ok()) return folder.status();
  PrintSettings(**inputs, **folder);
  if (!(*folder)->finished()) {
    if (absl::Status s = Compute(**inputs, **folder); !s.ok()) return s;
  }
  std::printf("features of %lld images are in %s\n", static_cast<long long>((*folder)->rows()),
              path.c_str());
  return FLAGS_projector == 0 ? absl::OkStatus() : Project(**inputs, path);
}

}  // namespace
}  // namespace lincls

int main(int argc, char** argv) {
  base::KeepFreedMemory();
  return base::RunMain(lincls::Features, argc, argv);
}
