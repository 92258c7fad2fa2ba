#include "lincls/tables/feature_table.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/files.h"
#include "data/arch_channels.h"
#include "data/csv.h"

namespace lincls {
namespace {

namespace fs = std::filesystem;

// Returns the name of the matrix that represents a folder.
absl::StatusOr<std::string> MatrixOf(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".npy") names.push_back(entry.path().filename());
  }
  if (error) {
    return absl::NotFoundError(absl::StrCat("cannot read '", folder, "': ", error.message()));
  }
  std::sort(names.begin(), names.end());
  if (std::count(names.begin(), names.end(), "backbone.npy") > 0) return folder + "/backbone.npy";
  if (names.size() == 1) return absl::StrCat(folder, "/", names[0]);
  if (names.empty()) {
    return absl::NotFoundError(absl::StrCat(
        "'", folder, "' has no features (.npy); make them with: bazel run //lincls:features"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", folder, "' holds ", absl::StrJoin(names, ", "), "; give one of them"));
}

absl::Status InFile(const std::string& path, int64_t line, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("'", path, "' line ", line, ": ", what));
}

// Reads features.json, without checking the types of its values.
absl::StatusOr<nlohmann::json> ReadDescription(const std::string& path) {
  const auto text = base::ReadFile(path);
  if (!text.ok()) return text.status();
  auto json = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (json.is_object() && json.value("finished", nlohmann::json()) == true) return json;
  if (!json.is_object() || !json.contains("done") || !json.contains("images")) {
    return absl::DataLossError(absl::StrCat("'", path,
                                            "' was not written by //lincls:features; remove "
                                            "it, or compute the features again"));
  }
  return absl::DataLossError(
      absl::StrCat("'", path, "': the features are not finished: ", json["done"].dump(), " of ",
                   json["images"].dump(), " images are done; rerun the command that started them"));
}

// Colours, unless the images have more channels than these, or ranges of single channels.
int ChannelsOf(const FeatureTable& table) {
  constexpr int kColours = 3, kMostWithAlpha = 4;
  const int channels = data::ChannelsOfArch(table.arch);
  const bool own_ranges = absl::StrContains(table.source.range, ',');
  return channels > kMostWithAlpha || own_ranges ? channels : kColours;
}

absl::Status Describe(const nlohmann::json& json, const std::string& path, FeatureTable& table) {
  try {
    json.at("classes").get_to(table.classes);
    for (const auto& [key, value] :
         {std::pair("data", &table.source.path), std::pair("dataset", &table.source.format),
          std::pair("split", &table.split), std::pair("folder", &table.folder),
          std::pair("checkpoint", &table.checkpoint), std::pair("weights", &table.weights),
          std::pair("arch", &table.arch), std::pair("eval_views", &table.eval_views)}) {
      json.at(key).get_to(*value);
    }
    // Earlier versions had no such settings.
    table.encoder_prefix = json.value("encoder_prefix", "");
    table.source.validation = json.value("val", "");
    table.source.range = json.value("range", "");
    table.source.pages = json.value("pages", "first");
    table.source.decode =
        data::MakeDecodeOptions(table.source.decode.channels, json.value("exif", "ignore"),
                                json.value("max_megapixels", int64_t{100}));
  } catch (const nlohmann::json::exception&) {
    return absl::DataLossError(absl::StrCat("'", path, "' lacks an entry that //lincls:features ",
                                            "writes; compute the features again"));
  }
  return absl::OkStatus();
}

// Reads the columns of the list from its first line.
absl::StatusOr<std::vector<std::string>> ReadHeader(const std::string& path,
                                                    const std::vector<data::Line>& lines) {
  if (lines.empty()) {
    return InFile(path, 1, "there is no header; it must be file,label or file");
  }
  const data::Line& header = lines[0];
  for (size_t i = 0; i < header.fields.size(); ++i) {
    const std::string& name = header.fields[i];
    const auto before = header.fields.begin() + i;
    if (name.empty() || std::find(header.fields.begin(), before, name) != before) {
      return InFile(path, header.number,
                    absl::StrCat("the header names the column ", i + 1, " '", name,
                                 "' twice; column names must be unique"));
    }
  }
  if (std::count(header.fields.begin(), header.fields.end(), "file") == 0) {
    return InFile(path, header.number,
                  absl::StrCat("the header is '", absl::StrJoin(header.fields, ","),
                               "'; it must be file,label or file, and names of further columns"));
  }
  return header.fields;
}

absl::Status ReadList(const std::string& path, FeatureTable& table) {
  const auto lines = data::ReadCsv(path);
  if (!lines.ok()) return lines.status();
  const auto header = ReadHeader(path, *lines);
  if (!header.ok()) return header.status();
  const int64_t rows = table.features.rows(), images = static_cast<int64_t>(lines->size()) - 1;
  if (images != rows) {
    return absl::InvalidArgumentError(absl::StrCat("'", table.features.path(), "' has ", rows,
                                                   " rows, but '", path, "' names ", images,
                                                   " images; both must describe the same images"));
  }
  if (rows == 0) {
    return absl::InvalidArgumentError(absl::StrCat("'", path, "' names no image"));
  }
  table.labels.assign(rows, -1);
  std::vector<std::vector<double>*> columns;
  for (const std::string& name : *header) {
    const bool own = name == "file" || name == "label";
    columns.push_back(own ? nullptr : &table.columns[name]);
  }
  std::unordered_map<std::string, int64_t> seen;  // where each image was first named
  for (int64_t row = 0; row < rows; ++row) {
    const data::Line& line = (*lines)[row + 1];
    if (line.fields.size() != header->size()) {
      return InFile(
          path, line.number,
          absl::StrCat(line.fields.size(), " fields, where the header ", "has ", header->size()));
    }
    for (size_t i = 0; i < header->size(); ++i) {
      const std::string& name = (*header)[i];
      const std::string& field = line.fields[i];
      if (name == "file") {
        const auto [first, is_new] = seen.emplace(field, line.number);
        if (field.empty() || !is_new) {
          return InFile(path, line.number,
                        field.empty()
                            ? "there is no file"
                            : absl::StrCat("'", field, "' is already in line ", first->second));
        }
        table.files.push_back(field);
      } else if (name == "label") {
        int& label = table.labels[row];
        if (field.empty()) continue;
        const bool read = absl::SimpleAtoi(field, &label) && label >= 0;
        if (!read || (!table.classes.empty() && label >= static_cast<int>(table.classes.size()))) {
          return InFile(path, line.number,
                        absl::StrCat("the label '", field, "' is not a class; labels are 0 to ",
                                     table.classes.empty() ? "the number of classes minus one"
                                                           : absl::StrCat(table.classes.size() - 1),
                                     ", or empty"));
        }
      } else {
        double value;
        if (!absl::SimpleAtod(field, &value) || !std::isfinite(value)) {
          return InFile(path, line.number,
                        absl::StrCat("'", name, "' is '", field, "'; it must be a finite number"));
        }
        columns[i]->push_back(value);
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<FeatureTable> OpenFeatures(const std::string& path) {
  std::error_code error;
  const bool is_folder = fs::is_directory(path, error);
  const fs::path parent = is_folder ? fs::path(path) : fs::path(path).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  const std::string description = absl::StrCat(folder, "/", kDescriptionFile);
  // A list beside a matrix belongs to it, in any folder.
  const bool ours = fs::exists(description, error) &&
                    (is_folder || !fs::exists(fs::path(path).replace_extension(".csv"), error));
  nlohmann::json json;
  if (ours) {
    auto read = ReadDescription(description);
    if (!read.ok()) return read.status();
    json = *std::move(read);
  }
  const absl::StatusOr<std::string> matrix_path = is_folder ? MatrixOf(folder) : path;
  if (!matrix_path.ok()) return matrix_path.status();
  const std::string list = ours ? absl::StrCat(folder, "/", kImagesFile)
                                : fs::path(*matrix_path).replace_extension(".csv").string();
  auto matrix = tensors::NpyMatrix::Open(*matrix_path);
  if (!matrix.ok()) return matrix.status();
  FeatureTable table{.features = *std::move(matrix)};
  if (ours) {
    if (absl::Status s = Describe(json, description, table); !s.ok()) return s;
  }
  table.name = fs::path(*matrix_path).stem();
  if (absl::Status s = ReadList(list, table); !s.ok()) return s;
  return table;
}

absl::Status CheckFinite(const FeatureTable& table, int64_t from, int64_t count,
                         const float* rows) {
  const int64_t columns = table.features.columns();
  for (int64_t i = 0; i < count * columns; ++i) {
    if (std::isfinite(rows[i])) continue;
    const int64_t row = from + i / columns;
    return absl::InvalidArgumentError(absl::StrCat("'", table.features.path(), "' row ", row,
                                                   ", of '", table.files[row], "', holds ", rows[i],
                                                   "; features must be finite"));
  }
  return absl::OkStatus();
}

absl::StatusOr<TableImages> OpenImages(const FeatureTable& table) {
  if (table.source.path.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("no ", kDescriptionFile, " beside '", table.features.path(),
                     "' says where the images are; compute the features with //lincls:features"));
  }
  const auto split = data::ReadSplit(table.split);
  if (!split.ok()) return split.status();
  data::DataSource source = table.source;
  source.decode.channels = ChannelsOf(table);
  auto opened = data::OpenDataset(source, *split);
  if (!opened.ok()) return opened.status();
  TableImages images{std::move(opened->dataset), {}};
  // Both are in the order of the data; the table lacks images that could not be read.
  int64_t index = 0;
  for (const std::string& file : table.files) {
    const std::string name = table.folder + file;
    while (index < images.dataset->size() && images.dataset->Name(index) != name) ++index;
    if (index == images.dataset->size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", name, "' is not in '", table.source.path,
                       "' any more, or has another position; compute the features again"));
    }
    images.indices.push_back(index++);
  }
  return images;
}

std::string CommonFolder(const data::Dataset& dataset) {
  std::string common = dataset.Name(0);
  common = common.substr(0, common.find(':'));  // for an archive, the part before its entries
  for (int64_t i = 0; i < dataset.size(); ++i) {
    const std::string name = dataset.Name(i);
    const auto end = std::mismatch(common.begin(), common.end(), name.begin(), name.end()).first;
    common.erase(end, common.end());
  }
  common.erase(common.rfind('/') + 1);  // npos + 1 is 0
  return common;
}

}  // namespace lincls
