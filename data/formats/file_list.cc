// Lists of image files, with or without labels: tables of text, and Hugging Face's imagefolder, a
// folder with such a list in it.
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/utf8.h"
#include "data/dataset.h"
#include "data/formats/image_files.h"
#include "data/image_finder.h"
#include "data/label_text.h"
#include "data/listing.h"
#include "data/table.h"

namespace data {
namespace {

struct FileListOptions {
  std::string columns, root;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("columns", columns,
      "columns of the images and of the labels, by name or by number from 1, with a space between "
      "them; empty: found by name");
    v("root", root, "folder that the names are relative to; empty: that of the list");
  }
};

// From this many images on, labels that are all different are no classes.
constexpr size_t kManyClasses = 10;

// The images of a table, in its order, each once; and what the table says of them.
class ListedImages {
 public:
  // `any_labels`: labels that are all different are meant to be classes.
  ListedImages(const Table& table, ImageFinder& finder, bool any_labels)
      : table_(table), finder_(finder), any_labels_(any_labels) {}

  absl::Status Add(const Line& row) {
    const absl::string_view cell = table_.Cell(row, table_.file);
    if (table_.IsTooWide(row)) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", table_.path, "' line ", row.number, " has ", row.fields.size(),
                       " fields, but ", table_.header.empty() ? "others " : "the header ",
                       table_.width, "; put names that hold the separator in quotes"));
    }
    auto name = cell.empty() ? absl::NotFoundError("no image is named") : finder_.Find(cell);
    if (!name.ok() && !base::IsUtf8(cell)) return NotUtf8(table_.path, row.number, cell);
    if (!name.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", table_.path, "' line ", row.number, ": ", name.status().message()));
    }
    std::string label = Label(row);
    const auto [first, is_new] = places_.emplace(*name, labels_.size());
    if (is_new) {
      names_.push_back(first->first);
      labels_.push_back(std::move(label));
      lines_.push_back(row.number);
      return absl::OkStatus();
    }
    ++repeated_;
    std::string& other = labels_[first->second];
    if (label != other && !conflicts_.count(first->second)) {
      Unusable(row, absl::StrCat("'", cell, "' has the label '", label, "', but '", other,
                                 "' in line ", lines_[first->second]));
      conflicts_.insert(first->second);
    }
    return absl::OkStatus();
  }

  // `images_there`: the images in the list's folder, if it should name all of them; otherwise 0.
  // `other_rows`: rows of other splits.
  absl::StatusOr<std::unique_ptr<Dataset>> Make(int64_t images_there, size_t other_rows,
                                                const DecodeOptions& decode) {
    std::vector<std::string> notes = table_.notes;
    if (other_rows > 0) {
      notes.push_back(
          absl::StrCat("'", table_.path, "': ", other_rows, " lines are of other splits"));
    }
    for (const size_t image : conflicts_) labels_[image].clear();
    TextClasses classes = ClassesOfTexts(labels_);
    if (classes.unusable >= 0) {
      Unusable(lines_[classes.unusable],
               absl::StrCat("the label '", labels_[classes.unusable], "' ", classes.why));
    }
    if (!MayBeClasses()) classes.classes = Classes();
    if (repeated_ > 0) {
      notes.push_back(absl::StrCat("'", table_.path, "': ", repeated_,
                                   " lines name an image again; each image is used once"));
    }
    if (std::string note = finder_.Note(); !note.empty()) notes.push_back(std::move(note));
    if (images_there > static_cast<int64_t>(names_.size())) {
      notes.push_back(absl::StrCat("'", table_.path, "' does not name ",
                                   images_there - names_.size(),
                                   " images of its folder, which are left out"));
    }
    Names names;
    for (const absl::string_view name : names_) names.Add(name);
    return MakeImageFiles(finder_.base(), std::move(names), std::move(classes.classes), decode,
                          std::move(notes), std::move(label_status_));
  }

 private:
  std::string Label(const Line& row) {
    if (table_.label) return PlainLabel(table_.Cell(row, *table_.label));
    std::string label;
    for (const size_t column : table_.one_hot) {
      double value = 0;
      if (!absl::SimpleAtod(table_.Cell(row, column), &value) || value == 0) continue;
      if (!label.empty()) {
        Unusable(row, absl::StrCat("both '", label, "' and '", table_.header[column],
                                   "' are 1; an image has one class"));
      }
      label = table_.header[column];
    }
    return label;
  }

  void Unusable(int64_t line, absl::string_view why) {
    if (!label_status_.ok()) return;
    label_status_ = absl::InvalidArgumentError(
        absl::StrCat("'", table_.path, "' line ", line, ": ", why,
                     "; labels are class numbers from 0, or names (--columns=FILE,LABEL chooses "
                     "the column)"));
  }
  void Unusable(const Line& row, absl::string_view why) { Unusable(row.number, why); }

  // Whether the labels are those of classes; some images may lack one.
  bool MayBeClasses() {
    if (!table_.label && table_.one_hot.empty()) {
      label_status_ = absl::InvalidArgumentError(absl::StrCat(
          "'", table_.path, "' states no labels: none of its columns is called label, ",
          "class, category or target; choose one with --columns=FILE,LABEL"));
      return false;
    }
    const std::unordered_set<std::string> values(labels_.begin(), labels_.end());
    if (values.size() == labels_.size() && labels_.size() >= kManyClasses && !any_labels_) {
      Unusable(lines_[0], absl::StrCat("the label '", labels_[0], "' and all others in ",
                                       table_.label ? table_.NameOf(*table_.label) : "the columns",
                                       " are of one image each, so they are no classes"));
      return false;
    }
    for (size_t i = 0; i < labels_.size(); ++i) {
      if (!labels_[i].empty() && labels_[i] != "-1") continue;
      Unusable(lines_[i], absl::StrCat("'", names_[i], "' has no label"));
      break;
    }
    return true;
  }

  const Table& table_;
  ImageFinder& finder_;
  const bool any_labels_;
  std::unordered_map<std::string, size_t> places_;
  std::vector<absl::string_view> names_;  // keys of places_
  std::vector<std::string> labels_;
  std::vector<int64_t> lines_;
  std::unordered_set<size_t> conflicts_;  // images that have several labels
  int64_t repeated_ = 0;
  absl::Status label_status_;
};

// The rows of a split, if the table states splits, and of images below `folder` ("train/"; empty:
// anywhere). InvalidArgument if there are none.
absl::StatusOr<std::vector<const Line*>> RowsOf(const Table& table, Split split,
                                                const std::string& folder) {
  std::map<absl::string_view, std::vector<const Line*>> rows;  // by SplitNameOf()
  for (const Line& row : table.rows) {
    if (!absl::StartsWith(FileNameOf(table.Cell(row, table.file)), folder)) continue;
    rows[table.split ? SplitNameOf(table.Cell(row, *table.split)) : ""].push_back(&row);
  }
  // As the folders of a place are chosen (DataLocation::PartsOf).
  const auto first_of = [&](absl::string_view one, absl::string_view other) {
    return rows[one].empty() ? other : one;
  };
  std::vector<const Line*>& found =
      rows[!table.split                   ? ""
           : split == Split::kPretraining ? first_of("unlabeled", "train")
           : split == Split::kTraining    ? "train"
                                          : first_of("val", "test")];
  if (!found.empty()) return std::move(found);
  return absl::InvalidArgumentError(absl::StrCat(
      "'", table.path, "' names no images", folder.empty() ? "" : " of ", folder,
      table.split ? absl::StrCat(" for ", ToString(split), " in ", table.NameOf(*table.split))
                  : ""));
}

class FileListFormat : public Format {
 public:
  explicit FileListFormat(FileListOptions options) : options_(std::move(options)) {}

  std::vector<std::string> FileEndings() const override { return {".csv", ".tsv", ".jsonl"}; }
  bool MatchesFolder(const DataLocation& folder) const override { return !ListOf(folder).empty(); }

  bool StatesSplits(const std::string& path) const override {
    ImageFinder finder = FinderOf(path);
    const auto table = Read(path, &finder);
    return !table.ok() || table->split;  // Open() says what is wrong
  }

  absl::StatusOr<std::unique_ptr<Dataset>> Open(const std::string& path, Split split,
                                                const DecodeOptions& decode) const override {
    const auto location = DataLocation::At(path);
    if (!location.ok()) return location.status();
    std::string list = path;
    if (location->is_folder) {
      list = ListOf(*location);
      if (list.empty()) {
        return absl::InvalidArgumentError(
            absl::StrCat("'", path,
                         "' holds no list metadata.csv or metadata.jsonl with a column file_name; "
                         "give the path of the list"));
      }
    }
    ImageFinder finder = FinderOf(list);
    const auto table = Read(list, &finder);
    if (!table.ok()) return table.status();
    ListedImages images(*table, finder, /*any_labels=*/!options_.columns.empty());
    const bool is_above = location->is_folder && list.rfind('/') != (*location / "").size() - 1;
    const auto rows = RowsOf(*table, split, is_above ? NameOfFolder(path) + "/" : "");
    if (!rows.ok()) return rows.status();
    for (const Line* row : *rows) {
      if (absl::Status s = images.Add(*row); !s.ok()) return s;
    }
    int64_t images_there = 0;
    if (location->is_folder && options_.root.empty() && !table->split) {
      std::vector<std::string> notes;  // what the list does not name is no matter
      const auto all = ListImages(path, &notes);
      if (!all.ok()) return all.status();
      images_there = all->size();
    }
    return images.Make(images_there, table->rows.size() - rows->size(), decode);
  }

 private:
  ImageFinder FinderOf(const std::string& list) const {
    return {list.substr(0, list.rfind('/') + 1), base::UserPath(options_.root)};
  }

  absl::StatusOr<Table> Read(const std::string& list, ImageFinder* finder) const {
    return ReadTable(list, options_.columns,
                     [&](absl::string_view cell) { return finder->Holds(cell); });
  }

  const FileListOptions options_;
};

absl::StatusOr<std::unique_ptr<Format>> MakeFileList(const FileListOptions& options) {
  return std::make_unique<FileListFormat>(options);
}

REGISTER_PLUGIN(Datasets, "file_list",
                "a list of image files, with or without labels (.csv, .tsv, .jsonl), or a folder "
                "with metadata.csv or metadata.jsonl, as Hugging Face's imagefolder",
                FileListOptions, MakeFileList);

}  // namespace
}  // namespace data
