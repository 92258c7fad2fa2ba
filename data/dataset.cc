#include "data/dataset.h"

#include <sys/stat.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "data/listing.h"

namespace data {

DatasetRegistry& Datasets() {
  static DatasetRegistry& table = *new DatasetRegistry("dataset");
  return table;
}

absl::StatusOr<std::string> DetectDataset(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return base::ErrnoStatus("cannot open data", path);
  if (!S_ISDIR(info.st_mode)) {
    if (absl::EndsWith(path, ".tar")) return "tar";
    return absl::InvalidArgumentError(absl::StrCat(
        "'", path,
        "' is neither a folder nor a .tar file; give a folder of images or a tar archive"));
  }
  std::error_code error;
  std::string tar, other;
  for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
    const std::string name = entry.path().filename();
    if (IsTar(entry)) tar = name;
    if (HasImageName(name) || (entry.is_directory(error) && name[0] != '.')) other = name;
  }
  if (!tar.empty() && !other.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("'", path, "' holds tar archives ('", tar,
                                                   "') and other images ('", other,
                                                   "'); keep them in folders of their own"));
  }
  return tar.empty() ? "image_folder" : "tar";
}

absl::StatusOr<std::unique_ptr<Dataset>> OpenDataset(const std::string& path) {
  auto spec = DetectDataset(path);
  if (!spec.ok()) return spec.status();
  return Datasets().Create(*spec, path);
}

absl::StatusOr<std::unique_ptr<Dataset>> OpenLabelledDataset(const std::string& path) {
  auto dataset = OpenDataset(path);
  if (!dataset.ok()) return dataset;
  for (int64_t i = 0; i < (*dataset)->size(); ++i) {
    if ((*dataset)->Label(i) >= 0) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("'", (*dataset)->Name(i), "' has no label; '", path,
                     "' must hold a folder for each class, with its images"));
  }
  if ((*dataset)->classes().size() < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path, "' holds the one class '", (*dataset)->classes()[0],
                     "'; a classifier wants a folder for each of two classes or more"));
  }
  return dataset;
}

}  // namespace data
