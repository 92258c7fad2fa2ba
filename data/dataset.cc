#include "data/dataset.h"

#include <algorithm>
#include <new>
#include <opencv2/core.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "data/listing.h"
#include "data/pages.h"
#include "data/splits.h"
#include "data/unread.h"
#include "data/values.h"
#include "registry/spec.h"
#include "registry/table.h"

namespace data {
namespace {

bool Matches(const Format& format, const DataLocation& location) {
  if (location.is_folder) return format.MatchesFolder(location);
  const std::vector<std::string> endings = format.FileEndings();
  return std::any_of(endings.begin(), endings.end(),
                     [&](const std::string& ending) { return location.EndsWith(ending); });
}

absl::Status NothingMatches(const DataLocation& location) {
  if (location.is_folder) {
    const std::string form = UnreadFormIn(location.path);
    return absl::InvalidArgumentError(
        absl::StrCat("'", location.path, "' holds no images (.jpg, .png, ...) and no other data ",
                     "that docs/data.md describes", form.empty() ? "" : "; ", form));
  }
  if (const std::string form = UnreadForm(location.path); !form.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("'", location.path, "' ", form));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", location.path, "' is not a folder, and its name does not end in ",
                   absl::StrJoin(EndingsOf(nullptr, &Format::FileEndings), " or "),
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

// Whether the data say in themselves which of the images are for which split.
bool StatesSplits(const DataLocation& root, const Format* given) {
  if (given != nullptr) return given->StatesSplits(root.path);
  for (const auto& [name, format] : AllFormats()) {
    if (Matches(*format, root) && format->StatesSplits(root.path)) return true;
  }
  return false;
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

// The spec with the options that flags state. Of two places, one may be of a format without them.
absl::StatusOr<std::string> WithOptions(const std::string& format, const DataSource& source) {
  auto spec = registry::ParseSpec(format);
  if (!spec.ok()) return spec.status();
  for (const auto& [key, value] : source.options) {
    if (value.empty()) continue;
    bool known = false;
    for (const registry::Entry& entry : Datasets().List()) {
      if (entry.name != spec->name) continue;
      for (const registry::OptionInfo& option : entry.options) known |= option.key == key;
    }
    const std::string flag = absl::StrCat("--", absl::StrReplaceAll(key, {{"_", "-"}}));
    if (!known && !source.validation.empty()) continue;
    if (!known) {
      return absl::InvalidArgumentError(absl::StrCat(flag, " has no meaning for '", source.path,
                                                     "', which is read as ", spec->name,
                                                     "; leave it out"));
    }
    for (const auto& [given, text] : spec->options) {
      if (given != key) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("--dataset and ", flag, " both state ", key, "; leave one of them out"));
    }
    // A comma separates the options of a spec.
    spec->options.emplace_back(key, absl::StrReplaceAll(value, {{",", " "}}));
  }
  return registry::ToString(*spec);
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

absl::StatusOr<std::unique_ptr<Dataset>> Format::OpenFiles(const std::vector<std::string>& paths,
                                                           Split split,
                                                           const DecodeOptions& decode) const {
  if (paths.size() == 1) return Open(paths[0], split, decode);
  return absl::InvalidArgumentError(absl::StrCat("'", paths[0], "' and '", paths[1],
                                                 "' are both the ", ToString(split),
                                                 " images; give one of them"));
}

namespace {

absl::StatusOr<Opened> OpenAs(const DataSource& source, Split split, const DecodeOptions& decode) {
  const bool elsewhere = split == Split::kValidation && !source.validation.empty();
  auto root = DataLocation::At(elsewhere ? source.validation : source.path);
  if (!root.ok()) return root.status();
  std::string format = source.format;
  std::unique_ptr<Format> chosen;
  const auto choose = [&] {
    auto with_options = WithOptions(format, source);
    if (!with_options.ok()) return with_options.status();
    format = *with_options;
    auto created = Datasets().Create(format);
    if (created.ok()) chosen = *std::move(created);
    return created.status();
  };
  if (!format.empty()) {
    if (absl::Status s = choose(); !s.ok()) return s;
  }
  Part part{{root->path}, {}};
  auto whole = FindWhole(*root, format, chosen.get());
  if (!whole.ok()) return whole.status();
  if (!whole->place.empty()) {
    format = whole->format;
    part.paths = {whole->place};
    if (chosen == nullptr) {
      if (absl::Status s = choose(); !s.ok()) return s;
    }
  }
  if (chosen == nullptr || !chosen->HoldsSplits()) {
    Part found;
    if (chosen == nullptr || !chosen->IsOneSplit()) {
      auto searched = FindPart(*root, split, chosen.get());
      if (!searched.ok()) return searched.status();
      found = *std::move(searched);
    }
    part.notes = std::move(found.notes);
    // All of a place that is named for one split is that split.
    const auto all = [&] {
      return split == Split::kPretraining || !source.validation.empty() ||
             StatesSplits(*root, chosen.get());
    };
    if (!found.paths.empty()) {
      part.paths = std::move(found.paths);
    } else if (!all() && !root->is_folder) {
      const auto read = FindFormat(*root);
      if (chosen == nullptr && read.ok() && read->empty()) return NothingMatches(*root);
      return absl::NotFoundError(absl::StrCat(
          "'", root->path, "' does not say which of its images are for ", ToString(split),
          ": a list has a column called split for that, an archive folders called train and val, "
          "and arrays such names; if all of it is for training, name the validation images: "
          "--val=DATA2"));
    } else if (!all()) {
      return absl::NotFoundError(absl::StrCat(
          "'", *root / (split == Split::kTraining ? "train" : "val"),
          "' does not exist; the data's folder must hold train/ and val/, each with one folder "
          "for ",
          "each class, or data in another format that docs/data.md describes; or name two places: ",
          "DATA --val=DATA2"));
    }
  }
  if (chosen == nullptr) {
    auto location = DataLocation::At(part.paths[0]);
    if (!location.ok()) return location.status();
    auto found = FindFormat(*location);
    if (!found.ok()) return found.status();
    if (found->empty()) return NothingMatches(*location);
    format = *found;
    if (absl::Status s = choose(); !s.ok()) return s;
  }
  auto dataset = part.paths.size() == 1 ? chosen->Open(part.paths[0], split, decode)
                                        : chosen->OpenFiles(part.paths, split, decode);
  if (dataset.ok() && source.pages == "images") dataset = PagesOf(*std::move(dataset), decode);
  if (!dataset.ok()) return dataset.status();
  Opened opened{*std::move(dataset), format, part.place(), decode, std::move(part.notes)};
  for (std::string& note : opened.dataset->notes()) opened.notes.push_back(std::move(note));
  if (source.pages == "first") {
    std::string note = FurtherPagesNote(*opened.dataset);
    if (!note.empty()) opened.notes.push_back(std::move(note));
  }
  return opened;
}

}  // namespace

absl::StatusOr<Opened> OpenDataset(const DataSource& source, Split split) {
  const auto flag = ReadRange(source.range, source.decode.channels);
  if (!flag.ok()) return flag.status();
  DecodeOptions decode = source.decode;
  decode.range = flag->ranges;
  decode.pages_as_channels = source.pages == "channels";
  if (!flag->automatic) return OpenAs(source, split, decode);
  decode.raw = true;
  const auto raw = OpenAs(source, split, decode);
  if (!raw.ok()) return raw.status();
  auto found = FindRange(*raw->dataset, flag->by_channel);
  if (!found.ok()) return found.status();
  decode.raw = source.decode.raw;
  decode.range = *std::move(found);
  auto opened = OpenAs(source, split, decode);
  if (opened.ok()) {
    opened->notes.push_back(decode.range.empty()
                                ? "--range has no effect: the images of a sample have 8 bits"
                                : absl::StrCat("--range=", WriteRange(decode.range),
                                               " is what a sample of the images gives"));
  }
  return opened;
}

absl::StatusOr<Opened> OpenDataset(const std::string& path, Split split, const std::string& format,
                                   const DecodeOptions& decode) {
  return OpenDataset({path, "", format, {}, decode}, split);
}

absl::StatusOr<Opened> OpenLabelledDataset(const DataSource& source, Split split) {
  auto opened = OpenDataset(source, split);
  if (!opened.ok()) return opened;
  const Dataset& dataset = *opened->dataset;
  if (absl::Status s = dataset.LabelStatus(); !s.ok()) return s;
  for (int64_t i = 0; i < dataset.size(); ++i) {
    if (dataset.Label(i) >= 0) continue;
    const std::string list = opened->place + ".csv";
    const bool has_list = DataLocation::At(list).ok();
    return absl::InvalidArgumentError(absl::StrCat(
        "'", dataset.Name(i), "' has no label; '", opened->place,
        "' must hold one folder of images for each class, or labels in another ",
        "format that docs/data.md describes",
        has_list ? absl::StrCat("; if '", list, "' states them, give --dataset=file_list") : ""));
  }
  if (dataset.classes().size() < 2) {
    return absl::InvalidArgumentError(absl::StrCat("'", opened->place, "' holds only the class '",
                                                   dataset.classes()[0],
                                                   "'; a classifier requires at least two"));
  }
  return opened;
}

absl::StatusOr<Opened> OpenLabelledDataset(const std::string& path, Split split,
                                           const std::string& format, const DecodeOptions& decode) {
  return OpenLabelledDataset({path, "", format, {}, decode}, split);
}

}  // namespace data
