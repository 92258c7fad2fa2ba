#include "lincls/feature_extractor.h"

#include <ATen/core/Tensor.h>
#include <c10/core/DeviceType.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "base/progress.h"
#include "base/signals.h"
#include "base/work.h"
#include "data/classes.h"
#include "data/glance.h"
#include "data/image_names.h"
#include "data/values.h"
#include "lincls/encoders/pretrained.h"
#include "lincls/tables/feature_table.h"
#include "moco/backbones/backbone.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/training/images.h"
#include "registry/spec.h"

namespace lincls {
namespace {

// Returns the names in `list`, each once.
absl::StatusOr<std::vector<std::string>> ReadColumns(const std::string& list) {
  const std::vector<std::string>& known = ImageColumns::Names();
  std::vector<std::string> columns;
  for (absl::string_view text : absl::StrSplit(list, ',', absl::SkipWhitespace())) {
    const std::string name(absl::StripAsciiWhitespace(text));
    if (std::count(known.begin(), known.end(), name) == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("--columns: ", registry::UnknownMessage("column", name, known)));
    }
    if (std::count(columns.begin(), columns.end(), name) == 0) columns.push_back(name);
  }
  return columns;
}

// images.csv has a line for each image, and identifies the image by its name.
absl::Status CheckNames(const data::Dataset& dataset) {
  std::vector<std::pair<size_t, int64_t>> hashes;
  for (int64_t i = 0; i < dataset.size(); ++i) {
    const std::string name = dataset.Name(i);
    if (name.find_first_of("\n\r") != std::string::npos) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the image name '", name,
          "' contains a line break, which a list of names cannot hold; rename the image"));
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

// Numbers the validation images' classes as those of the training images, which a val/ that lacks a
// class would not do by itself.
void NumberAsTraining(const data::DataSource& source, data::Opened& validation) {
  const auto train = data::OpenDataset(source, data::Split::kTraining);
  if (train.ok() && !train->dataset->classes().empty()) {
    validation.dataset = data::NumberedAs(train->dataset->classes(), std::move(validation.dataset));
  } else if (!train.ok() && !absl::IsNotFound(train.status())) {
    validation.notes.push_back(absl::StrCat(
        "the classes are numbered by the validation images alone: ", train.status().message()));
  }
}

// Returns rows `kept` of a matrix, or of a column.
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

}  // namespace

absl::StatusOr<std::unique_ptr<FeatureExtractor>> FeatureExtractor::Create(
    const ExtractionOptions& options) {
  std::unique_ptr<FeatureExtractor> extractor(new FeatureExtractor(options));
  FeatureExtractor& e = *extractor;
  const auto split = data::ReadSplit(options.split);
  if (!split.ok()) return split.status();
  auto columns = ReadColumns(options.columns);
  if (!columns.ok()) return columns.status();
  e.columns_ = *std::move(columns);

  const auto checkpoint = moco::ReadCheckpoint(options.checkpoint);
  if (!checkpoint.ok()) return checkpoint.status();
  e.weights_ = Fingerprint(*checkpoint);
  auto network = FeatureNetwork::Create(*checkpoint, options.encoder);
  if (!network.ok()) return base::InFile(network.status(), options.checkpoint);
  e.network_ = *std::move(network);
  e.network_->To(options.device, options.bf16);
  const int channels = *moco::ImageChannels(e.network_->backbone().spec());

  data::DataSource source = options.source;
  source.decode.channels = channels;
  if (source.range.empty()) source.range = checkpoint->facts.Setting(moco::kRangeSetting);
  auto opened = data::OpenDataset(source, *split);
  if (!opened.ok()) return opened.status();
  e.opened_ = *std::move(opened);
  auto glance = data::Glance(*e.opened_.dataset, {.decode = e.opened_.decode});
  if (!glance.ok()) return glance.status();
  e.glance_ = *std::move(glance);
  if (*split == data::Split::kValidation) NumberAsTraining(source, e.opened_);
  if (std::string note = ExifNote(*checkpoint, source.decode); !note.empty()) {
    e.opened_.notes.push_back(std::move(note));
  }
  const data::Dataset& dataset = *e.opened_.dataset;
  if (absl::Status s = CheckNames(dataset); !s.ok()) return s;
  e.names_folder_ = CommonFolder(dataset);
  e.batch_size_ = std::min(options.batch_size, dataset.size());

  auto views = augment::Pipeline::Create(
      EvaluationViews(options.eval_views, *checkpoint, dataset.views(), channels), channels);
  if (!views.ok()) return views.status();
  if (const auto view = moco::MakeView(*views); !view.ok()) return view.status();
  e.views_ = std::make_unique<augment::Pipeline>(*std::move(views));
  const augment::ImageType& image = e.views_->output();
  absl::Status chosen = e.network_->Choose(options.features, image.rows, image.cols);
  if (!chosen.ok()) return base::InFile(chosen, options.checkpoint);
  if (e.columns_.empty()) return extractor;
  auto image_columns =
      ImageColumns::Create({.columns = e.columns_,
                            .views = options.views,
                            .loss = options.loss,
                            .augmented_views = options.augmented_views,
                            .seed = options.seed,
                            .arch = e.network_->backbone().spec(),
                            .batch_size = e.batch_size_,
                            .loader_threads = options.loader_threads},
                           *checkpoint, e.network_->backbone(), e.network_->head(), dataset);
  if (!image_columns.ok()) return base::InFile(image_columns.status(), options.checkpoint);
  e.image_columns_ = *std::move(image_columns);
  return extractor;
}

std::string FeatureExtractor::device() const {
  return c10::DeviceTypeName(options_.device.type(), /*lower_case=*/true);
}

FeatureFolderOptions FeatureExtractor::FolderOptions() const {
  FeatureFolderOptions options;
  options.type = options_.type;
  nlohmann::ordered_json& settings = options.settings;
  settings = {{"data", options_.source.path},
              {"dataset", opened_.format},
              {"split", options_.split},
              {"exif", options_.source.decode.apply_exif ? "apply" : "ignore"},
              {"pages", options_.source.pages},
              {"range", data::WriteRange(opened_.decode.range)},
              {"max_megapixels", options_.source.decode.max_pixels / 1'000'000},
              {"folder", names_folder_},
              {"images", opened_.dataset->size()},
              {"image_names", data::DigestOfNames(*opened_.dataset, /*with_labels=*/true)},
              {"classes", opened_.dataset->classes()},
              {"checkpoint", options_.checkpoint},
              {"weights", weights_},
              {"arch", network_->backbone().spec()},
              {"encoder_prefix", network_->backbone().prefix()},
              {"eval_views", views_->spec()},
              {"features", nlohmann::ordered_json::object()},
              {"dtype", options_.type == tensors::NpyType::kFloat16 ? "float16" : "float32"},
              {"columns", columns_},
              {"batch_size", batch_size_},
              {"device", device()}};
  // A folder of an earlier version names no precision, and is continued in float32.
  if (options_.bf16) settings["precision"] = "bf16";
  if (!options_.source.validation.empty()) settings["val"] = options_.source.validation;
  for (const auto& [name, width] : network_->outputs()) settings["features"][name] = width;
  if (image_columns_) {
    settings["views"] = image_columns_->views();
    settings["loss"] = image_columns_->loss();
    settings["augmented_views"] = options_.augmented_views;
    settings["seed"] = options_.seed;
  }
  return options;
}

absl::StatusOr<std::unique_ptr<data::Loader>> FeatureExtractor::StartLoader(
    const FeatureFolder& folder) const {
  auto view = moco::LoaderOf(*views_, 1);
  if (!view.ok()) return view.status();
  data::LoaderOptions& loader = *view;
  loader.batch_size = batch_size_;
  loader.shuffle = false;
  loader.drop_last = false;
  loader.seed = options_.seed;
  loader.threads = options_.loader_threads;
  loader.first_step = folder.done() / loader.batch_size;
  loader.last_step = (opened_.dataset->size() + loader.batch_size - 1) / loader.batch_size;
  loader.max_bad_images = options_.max_bad_images;
  for (const data::BadImage& bad : folder.bad_images()) loader.known_bad.insert(bad.index);
  return data::Loader::Create(*opened_.dataset, loader);
}

// Checks the values of the features `what`: `width` values for each of `files`.
absl::Status FeatureExtractor::CheckFinite(const std::string& what,
                                           const std::vector<float>& values, int64_t width,
                                           const std::vector<std::string>& files) const {
  const auto bad = std::find_if_not(values.begin(), values.end(),
                                    [](float value) { return std::isfinite(value); });
  if (bad == values.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("'", options_.checkpoint, "' gives '", files[(bad - values.begin()) / width],
                   "' a ", what, " of ", *bad, "; use a checkpoint from before the run diverged"));
}

// Computes the features of a batch that begins with image `first`, without the rows in which
// another image replaces a damaged one.
absl::StatusOr<FeatureFolder::Batch> FeatureExtractor::Compute(const data::Batch& batch,
                                                               int64_t first) const {
  FeatureFolder::Batch result;
  result.images = batch.size;
  std::vector<int64_t> kept;
  for (int64_t i = 0; i < batch.size; ++i) {
    if (batch.samples[i] != first + i) continue;
    kept.push_back(i);
    result.files.push_back(opened_.dataset->Name(first + i).substr(names_folder_.size()));
    result.labels.push_back(batch.labels[i]);
  }
  const std::vector<at::Tensor> matrices = (*network_)(moco::ViewTensor(batch, 0, *views_));
  for (size_t m = 0; m < matrices.size(); ++m) {
    result.matrices.push_back(Rows(matrices[m], kept));
    const auto& [name, width] = network_->outputs()[m];
    absl::Status s = CheckFinite(name, result.matrices.back(), width, result.files);
    if (!s.ok()) return s;
  }
  if (!image_columns_) return result;
  const auto columns = image_columns_->Next();
  if (!columns.ok()) return columns.status();
  for (size_t c = 0; c < columns->size(); ++c) {
    result.columns.push_back(Rows((*columns)[c], kept));
    absl::Status s = CheckFinite(columns_[c], result.columns.back(), 1, result.files);
    if (!s.ok()) return s;
  }
  return result;
}

absl::Status FeatureExtractor::Run(FeatureFolder& folder) const {
  if (folder.finished()) return absl::OkStatus();
  auto loader = StartLoader(folder);
  if (!loader.ok()) return loader.status();
  if (image_columns_) {
    if (absl::Status s = image_columns_->Start(folder.done() / batch_size_); !s.ok()) return s;
  }
  base::Progress progress;
  const int64_t size = opened_.dataset->size();
  base::Work work(progress, "features", size, "images", folder.done());
  while (folder.done() < size) {
    if (absl::Status stop = base::StopRequested(); !stop.ok()) {
      if (absl::Status s = folder.Sync(); !s.ok()) return s;
      return absl::Status(stop.code(),
                          absl::StrCat(stop.message(), " after ", folder.done(), " of ", size,
                                       " images; the same command continues"));
    }
    const auto batch = (*loader)->Next();
    if (!batch.ok()) return batch.status();
    auto result = Compute(**batch, folder.done());
    if (!result.ok()) return result.status();
    result->bad_images = (*loader)->bad_images();
    const size_t bad_before = folder.bad_images().size();
    if (absl::Status s = folder.Append(*result); !s.ok()) return s;
    for (size_t i = bad_before; i < folder.bad_images().size(); ++i) {
      progress.Print(absl::StrCat("bad image ", i + 1, ": ", folder.bad_images()[i].why));
    }
    work.Done(folder.done());
  }
  if (folder.rows() == 0) {
    return absl::DataLossError(
        absl::StrCat("none of the images of '", opened_.place, "' can be read"));
  }
  return folder.Finish();
}

}  // namespace lincls
