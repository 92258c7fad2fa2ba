#include "lincls/tables/feature_folder.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "data/csv.h"
#include "lincls/tables/feature_table.h"

namespace lincls {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr char kBadImagesFile[] = "bad_images.txt";

// Text as it appears in the file: JSON is UTF-8, but names may have any encoding.
std::string Text(const Json& value, int indent = -1) {
  return value.dump(indent, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

// What a setting was in files of versions that did not have it.
Json EarlierValue(const std::string& key) {
  if (key == "exif") return "ignore";
  if (key == "pages") return "first";
  if (key == "range") return "";
  if (key == "max_megapixels") return 100;
  return Json();
}

// Returns the description in a folder; nothing if the folder or the file does not exist.
absl::StatusOr<std::optional<Json>> ReadDescription(const std::string& path, const Json& settings) {
  const std::string file = absl::StrCat(path, "/", kDescriptionFile);
  std::error_code error;
  if (!fs::exists(file, error)) {
    std::vector<std::string> names = {kImagesFile};
    for (const auto& [name, columns] : settings["features"].items()) names.push_back(name + ".npy");
    for (const std::string& name : names) {
      if (!fs::exists(absl::StrCat(path, "/", name), error)) continue;
      return absl::AlreadyExistsError(absl::StrCat("'", path, "' has '", name, "', but no ",
                                                   kDescriptionFile,
                                                   " that describes it; give another --out"));
    }
    return std::nullopt;
  }
  const auto text = base::ReadFile(file);
  if (!text.ok()) return text.status();
  Json json = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    return absl::DataLossError(
        absl::StrCat("'", file, "' is damaged; remove '", path, "', or choose another --out"));
  }
  for (const auto& [key, value] : settings.items()) {
    if (key == "image_names" && !json.contains(key)) continue;  // of an earlier version
    const Json held = json.value(key, EarlierValue(key));
    if (Text(held) == Text(value)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("'", path, "' contains features with other settings: '", key, "' is ",
                     Text(held), ", now ", Text(value), "; give another --out"));
  }
  return json;
}

// Enough digits to read the same float back.
std::string Number(float value) { return absl::StrFormat("%.9g", value); }

}  // namespace

absl::StatusOr<std::unique_ptr<FeatureFolder>> FeatureFolder::Open(
    const std::string& path, const FeatureFolderOptions& options) {
  const auto held = ReadDescription(path, options.settings);
  if (!held.ok()) return held.status();
  auto folder = base::RunFolder::Open(path);
  if (!folder.ok()) return folder.status();
  std::unique_ptr<FeatureFolder> self(new FeatureFolder(*std::move(folder), options));
  int64_t list_bytes = 0;
  if (held->has_value()) {
    try {
      const Json& json = **held;
      json.at("done").get_to(self->done_);
      json.at("rows").get_to(self->rows_);
      json.at("finished").get_to(self->finished_);
      json.at("list_bytes").get_to(list_bytes);
      for (const Json& bad : json.at("bad_images")) {
        self->bad_images_.push_back({bad.at("index"), bad.at("name"), bad.at("why")});
      }
    } catch (const nlohmann::json::exception&) {
      return absl::DataLossError(absl::StrCat("'", self->folder_.File(kDescriptionFile),
                                              "' is damaged; remove '", path,
                                              "', or choose another --out"));
    }
  } else if (absl::Status s = self->WriteDescription(); !s.ok()) {
    return s;  // written first, because it says what the other files are
  }
  if (self->finished_) return self;

  for (const auto& [name, columns] : options.settings["features"].items()) {
    auto writer = tensors::NpyWriter::Open(self->folder_.File(name + ".npy"), options.type,
                                           columns.get<int64_t>(), self->rows_);
    if (!writer.ok()) {
      return self->rows_ == 0
                 ? writer.status()
                 : absl::DataLossError(absl::StrCat(writer.status().message(), "; remove '", path,
                                                    "', or choose another --out"));
    }
    self->matrices_.push_back(*std::move(writer));
  }
  auto list = base::GrowingFile::Open(self->folder_.File(kImagesFile));
  if (!list.ok()) return list.status();
  if (list->size() < list_bytes) {
    return absl::DataLossError(absl::StrCat("'", self->folder_.File(kImagesFile), "' has ",
                                            list->size(), " bytes of ", list_bytes, "; remove '",
                                            path, "', or choose another --out"));
  }
  if (absl::Status s = list->Cut(list_bytes); !s.ok()) return s;
  self->list_ = std::make_unique<base::GrowingFile>(*std::move(list));
  if (list_bytes == 0) {
    std::string header = "file,label";
    for (const Json& name : options.settings["columns"]) {
      absl::StrAppend(&header, ",", name.get<std::string>());
    }
    if (absl::Status s = self->list_->Append(header + "\n"); !s.ok()) return s;
  }
  return self;
}

absl::Status FeatureFolder::Append(const Batch& batch) {
  for (size_t i = 0; i < matrices_.size(); ++i) {
    absl::Status s = matrices_[i]->Append(batch.matrices[i].data(), batch.files.size());
    if (!s.ok()) return s;
  }
  std::string lines;
  for (size_t i = 0; i < batch.files.size(); ++i) {
    absl::StrAppend(&lines, data::CsvField(batch.files[i]), ",");
    if (batch.labels[i] >= 0) absl::StrAppend(&lines, batch.labels[i]);
    for (const std::vector<float>& column : batch.columns) {
      absl::StrAppend(&lines, ",", Number(column[i]));
    }
    absl::StrAppend(&lines, "\n");
  }
  if (absl::Status s = list_->Append(lines); !s.ok()) return s;
  for (const data::BadImage& bad : batch.bad_images) {
    const bool known = std::any_of(bad_images_.begin(), bad_images_.end(),
                                   [&](const data::BadImage& b) { return b.index == bad.index; });
    if (!known) bad_images_.push_back(bad);
  }
  done_ += batch.images;
  rows_ += batch.files.size();
  const std::chrono::duration<double> since = std::chrono::steady_clock::now() - synced_;
  return since.count() < options_.seconds_between_syncs ? absl::OkStatus() : Sync();
}

absl::Status FeatureFolder::Sync() {
  for (const auto& matrix : matrices_) {
    if (absl::Status s = matrix->Sync(); !s.ok()) return s;
  }
  if (absl::Status s = list_->Sync(); !s.ok()) return s;
  if (absl::Status s = WriteDescription(); !s.ok()) return s;
  synced_ = std::chrono::steady_clock::now();
  return absl::OkStatus();
}

absl::Status FeatureFolder::Finish() {
  finished_ = true;
  return Sync();
}

absl::Status FeatureFolder::WriteDescription() {
  std::string listed;
  Json bad_images = Json::array();
  for (const data::BadImage& bad : bad_images_) {
    bad_images.push_back({{"index", bad.index}, {"name", bad.name}, {"why", bad.why}});
    absl::StrAppend(&listed, bad.name, "\t", bad.why, "\n");
  }
  if (!listed.empty()) {
    absl::Status s = base::WriteFileAtomically(folder_.File(kBadImagesFile), listed);
    if (!s.ok()) return s;
  }
  Json json = options_.settings;
  json["done"] = done_;
  json["rows"] = rows_;
  json["list_bytes"] = list_ ? list_->size() : 0;
  json["finished"] = finished_;
  json["bad_images"] = bad_images;
  return base::WriteFileAtomically(folder_.File(kDescriptionFile), Text(json, 2) + "\n");
}

}  // namespace lincls
