#include "data/dataset.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace data {
namespace {

absl::Status NothingMatches(const Place& place) {
  if (!place.is_folder) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", place.path, "' is neither a folder nor a .tar, .pack or .csv file; give ",
                     "a place that docs/data.md describes"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", place.path, "' holds no images (.jpg, .png, ...), nor anything else that ",
                   "docs/data.md describes"));
}

// The format that matches, of those that hold splits or of those that do not; empty when none
// does.
absl::StatusOr<std::string> FindFormat(const Place& place, bool holds_splits) {
  std::vector<std::string> found;
  for (const std::string& name : Datasets().Names()) {
    const auto format = Datasets().Create(name);
    if (format.ok() && (*format)->HoldsSplits() == holds_splits && (*format)->Matches(place)) {
      found.push_back(name);
    }
  }
  if (found.size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", place.path, "' looks like ", absl::StrJoin(found, " and like "),
                     "; keep them in folders of their own, or say which by --dataset"));
  }
  return found.empty() ? "" : found[0];
}

}  // namespace

DatasetRegistry& Datasets() {
  static DatasetRegistry& table = *new DatasetRegistry("dataset");
  return table;
}

absl::StatusOr<std::string> Dataset::File(int64_t index) const {
  return absl::UnimplementedError(absl::StrCat("'", Name(index), "' is not kept as a file"));
}

absl::StatusOr<Opened> OpenDataset(const std::string& path, Split split, const std::string& format,
                                   int channels) {
  auto root = Place::At(path);
  if (!root.ok()) return root.status();
  Opened opened{nullptr, format, path};
  bool holds_splits;
  if (format.empty()) {
    auto found = FindFormat(*root, /*holds_splits=*/true);
    if (!found.ok()) return found.status();
    opened.format = *found;
    holds_splits = !found->empty();
  } else {
    auto given = Datasets().Create(format);
    if (!given.ok()) return given.status();
    holds_splits = (*given)->HoldsSplits();
  }
  if (!holds_splits) {
    const std::string part = root->PartOf(split);
    if (!part.empty()) {
      opened.place = part;
    } else if (split != Split::kPretraining) {
      return absl::NotFoundError(absl::StrCat(
          "'", *root / (split == Split::kTraining ? "train" : "val"),
          "' is not there; the data's folder must hold train/ and val/, each with a folder for ",
          "each class, or be of another form of docs/data.md"));
    }
  }
  if (opened.format.empty()) {
    auto place = Place::At(opened.place);
    if (!place.ok()) return place.status();
    auto found = FindFormat(*place, /*holds_splits=*/false);
    if (!found.ok()) return found.status();
    if (found->empty()) return NothingMatches(*place);
    opened.format = *found;
  }
  auto made = Datasets().Create(opened.format);
  if (!made.ok()) return made.status();
  auto dataset = (*made)->Open(opened.place, split, channels);
  if (!dataset.ok()) return dataset.status();
  opened.dataset = *std::move(dataset);
  return opened;
}

absl::StatusOr<Opened> OpenLabelledDataset(const std::string& path, Split split,
                                           const std::string& format, int channels) {
  auto opened = OpenDataset(path, split, format, channels);
  if (!opened.ok()) return opened;
  const Dataset& dataset = *opened->dataset;
  for (int64_t i = 0; i < dataset.size(); ++i) {
    if (dataset.Label(i) >= 0) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("'", dataset.Name(i), "' has no label; '", opened->place,
                     "' must hold a folder for each class, with its images, or labels in another ",
                     "form of docs/data.md"));
  }
  if (dataset.classes().size() < 2) {
    return absl::InvalidArgumentError(absl::StrCat("'", opened->place, "' holds the one class '",
                                                   dataset.classes()[0],
                                                   "'; a classifier wants two classes or more"));
  }
  return opened;
}

}  // namespace data
