#include "data/dataset.h"

#include <algorithm>
#include <new>
#include <opencv2/core.hpp>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace data {
namespace {

using NamedFormat = std::pair<std::string, std::unique_ptr<Format>>;

// Every format that needs no options.
std::vector<NamedFormat> AllFormats() {
  std::vector<NamedFormat> formats;
  for (const std::string& name : Datasets().Names()) {
    if (auto format = Datasets().Create(name); format.ok()) {
      formats.emplace_back(name, *std::move(format));
    }
  }
  return formats;
}

// Of all formats' files, sorted.
std::vector<std::string> AllFileEndings() {
  std::set<std::string> endings;
  for (const auto& [name, format] : AllFormats()) {
    for (const std::string& ending : format->FileEndings()) endings.insert(ending);
  }
  return {endings.begin(), endings.end()};
}

bool Matches(const Format& format, const DataLocation& location) {
  if (location.is_folder) return format.MatchesFolder(location);
  const std::vector<std::string> endings = format.FileEndings();
  return std::any_of(endings.begin(), endings.end(),
                     [&](const std::string& ending) { return location.EndsWith(ending); });
}

absl::Status NothingMatches(const DataLocation& location) {
  if (location.is_folder) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", location.path, "' holds no images (.jpg, .png, ...) and no other data ",
                     "that docs/data.md describes"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", location.path, "' is not a folder, and its name does not end in ",
                   absl::StrJoin(AllFileEndings(), " or "),
                   "; give data in a format that docs/data.md describes"));
}

// Data that holds its splits: the format's spec, and the folder.
struct Whole {
  std::string format, place;
};

// What of `format`, which holds splits, is at `root`, or in the folders of it that are usual.
std::vector<std::string> PlacesOf(const Format& format, const DataLocation& root) {
  if (Matches(format, root)) return {root.path};
  std::vector<std::string> places;
  for (const std::string& folder : format.UsualFolders()) {
    if (!root.Has(folder)) continue;
    const auto location = DataLocation::At(root / folder);
    if (location.ok() && Matches(format, *location)) places.push_back(location->path);
  }
  return places;
}

// The data at `root` that holds its splits: of the given format, or of any that matches; empty if
// there is none.
absl::StatusOr<Whole> FindWhole(const DataLocation& root, const std::string& format,
                                const Format* given) {
  std::vector<Whole> found;
  const auto add = [&](const std::string& name, const Format& one) {
    if (!one.HoldsSplits()) return;
    for (std::string& place : PlacesOf(one, root)) found.push_back({name, std::move(place)});
  };
  if (given != nullptr) {
    add(format, *given);
  } else {
    for (const auto& [name, one] : AllFormats()) add(name, *one);
  }
  if (found.size() > 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", root.path, "' holds ",
        absl::StrJoin(found, " and ",
                      [](std::string* out, const Whole& one) {
                        absl::StrAppend(out, "'", one.place, "' (--dataset=", one.format, ")");
                      }),
        "; give one of these folders as data, or choose with --dataset"));
  }
  return found.empty() ? Whole() : found[0];
}

// The format that matches, of those of which a location is one split; empty if none does.
absl::StatusOr<std::string> FindFormat(const DataLocation& location) {
  std::vector<std::string> found;
  for (const auto& [name, format] : AllFormats()) {
    if (!format->HoldsSplits() && Matches(*format, location)) found.push_back(name);
  }
  if (found.size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", location.path, "' looks like ", absl::StrJoin(found, " and like "),
                     "; choose one with --dataset, or move the data into folders of their own"));
  }
  return found.empty() ? "" : found[0];
}

// The part of `root` that is the split's: of the given format, or of any that matches. Empty if
// there is none.
absl::StatusOr<std::string> FindPart(const DataLocation& root, Split split, const Format* given) {
  const DataLocation::Parts parts =
      root.PartsOf(split, given != nullptr ? given->FileEndings() : AllFileEndings());
  // A format that is given may be one of files alone.
  if (!parts.folder.empty() && (given == nullptr || parts.files.empty())) return parts.folder;
  if (parts.files.size() > 1) {
    return absl::InvalidArgumentError(absl::StrCat("'", absl::StrJoin(parts.files, "' and '"),
                                                   "' are both the ", ToString(split),
                                                   " images; choose one with --dataset"));
  }
  return parts.files.empty() ? "" : parts.files[0];
}

}  // namespace

DatasetRegistry& Datasets() {
  static DatasetRegistry& table = *new DatasetRegistry("dataset");
  return table;
}

absl::StatusOr<std::string> Dataset::File(int64_t index) const {
  return absl::UnimplementedError(absl::StrCat("'", Name(index), "' is not kept as a file"));
}

absl::StatusOr<cv::Mat> ReadImageAt(const Dataset& dataset, int64_t index) {
  const auto out_of_memory = [&] {
    return absl::ResourceExhaustedError(
        absl::StrCat("out of memory while '", dataset.Name(index),
                     "' was read; use fewer threads (--workers, --threads) or a smaller batch"));
  };
  try {
    return dataset.Image(index);
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  } catch (const cv::Exception& e) {
    if (e.code == cv::Error::StsNoMem) return out_of_memory();
    return absl::DataLossError(absl::StrCat("'", dataset.Name(index), "': ", e.what()));
  } catch (const std::exception& e) {
    return absl::DataLossError(absl::StrCat("'", dataset.Name(index), "': ", e.what()));
  }
}

absl::StatusOr<Opened> OpenDataset(const std::string& path, Split split, const std::string& format,
                                   const DecodeOptions& decode) {
  auto root = DataLocation::At(path);
  if (!root.ok()) return root.status();
  Opened opened{nullptr, format, path};
  std::unique_ptr<Format> chosen;
  if (!format.empty()) {
    auto given = Datasets().Create(format);
    if (!given.ok()) return given.status();
    chosen = *std::move(given);
  }
  auto whole = FindWhole(*root, format, chosen.get());
  if (!whole.ok()) return whole.status();
  if (!whole->place.empty()) {
    opened.format = whole->format;
    opened.place = whole->place;
    if (chosen == nullptr) chosen = Datasets().Create(whole->format).value();
  }
  if (chosen == nullptr || !chosen->HoldsSplits()) {
    auto part = FindPart(*root, split, chosen.get());
    if (!part.ok()) return part.status();
    if (!part->empty()) {
      opened.place = *part;
    } else if (split != Split::kPretraining) {
      return absl::NotFoundError(absl::StrCat(
          "'", *root / (split == Split::kTraining ? "train" : "val"),
          "' does not exist; the data's ",
          "folder must hold train/ and val/, each with one folder for each class, or data in ",
          "another format that docs/data.md describes"));
    }
  }
  if (chosen == nullptr) {
    auto location = DataLocation::At(opened.place);
    if (!location.ok()) return location.status();
    auto found = FindFormat(*location);
    if (!found.ok()) return found.status();
    if (found->empty()) return NothingMatches(*location);
    opened.format = *found;
    chosen = Datasets().Create(*found).value();
  }
  auto dataset = chosen->Open(opened.place, split, decode);
  if (!dataset.ok()) return dataset.status();
  opened.dataset = *std::move(dataset);
  return opened;
}

absl::StatusOr<Opened> OpenLabelledDataset(const std::string& path, Split split,
                                           const std::string& format, const DecodeOptions& decode) {
  auto opened = OpenDataset(path, split, format, decode);
  if (!opened.ok()) return opened;
  const Dataset& dataset = *opened->dataset;
  for (int64_t i = 0; i < dataset.size(); ++i) {
    if (dataset.Label(i) >= 0) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("'", dataset.Name(i), "' has no label; '", opened->place,
                     "' must hold one folder of images for each class, or labels in another ",
                     "format that docs/data.md describes"));
  }
  if (dataset.classes().size() < 2) {
    return absl::InvalidArgumentError(absl::StrCat("'", opened->place, "' holds only the class '",
                                                   dataset.classes()[0],
                                                   "'; a classifier requires at least two"));
  }
  return opened;
}

}  // namespace data
