#include "data/splits.h"

#include <algorithm>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/files.h"

namespace data {
namespace {

constexpr char kClassFolders[] = "image_folder";

std::string Quoted(const std::vector<std::string>& names) {
  constexpr size_t kShown = 3;
  const std::vector<std::string> shown(names.begin(),
                                       names.begin() + std::min(names.size(), kShown));
  return absl::StrCat(
      "'", absl::StrJoin(shown, "', '"), "'",
      names.size() > kShown ? absl::StrCat(" and ", names.size() - kShown, " more") : "");
}

// The parts of a folder, by their names.
class Splits {
 public:
  Splits(const DataLocation& root, const Format* given)
      : root_(root),
        given_(given),
        endings_(EndingsOf(given, &Format::FileEndings)),
        shards_(EndingsOf(given, &Format::ShardEndings)) {}

  // The part that is the split's; without paths if there is none.
  absl::StatusOr<Part> Find(Split split) const {
    const DataLocation::Parts parts = PartsOf(split);
    if (parts.empty()) return WithoutPart(split);
    Part part;
    // A format that is given may be one of files alone.
    if (!parts.folders.empty() && (given_ == nullptr || parts.files.empty())) {
      if (parts.folders.size() > 1) return Several(parts.folders, split);
      part.paths = parts.folders;
    } else {
      const bool one_kind =
          std::all_of(parts.files.begin(), parts.files.end(), [&](const std::string& file) {
            return IsShard(file) && ShardKind(file) == ShardKind(parts.files[0]);
          });
      if (parts.files.size() > 1 && !one_kind) return Several(parts.files, split);
      part.paths = parts.files;
    }
    if (parts.second_choice && split == Split::kValidation) {
      part.notes.push_back(absl::StrCat("the validation images are those of '", part.place(),
                                        "', since '", root_.path, "' has no val"));
    }
    if (root_.images > 0) {
      part.notes.push_back(absl::StrCat("left out of '", root_.path, "': ", root_.images,
                                        " images beside its folders, such as '", root_.image, "'"));
    }
    const std::vector<std::string> others = Others();
    if (others.empty()) return part;
    // With parts for training and for validation, the others are something else.
    if (PartsOf(Split::kPretraining).empty() || PartsOf(Split::kValidation).empty()) {
      return Unclear(part.place(), others);
    }
    part.notes.push_back(absl::StrCat("left out of '", root_.path, "': ", Quoted(others),
                                      ", which no split is called"));
    return part;
  }

 private:
  bool in_archive() const { return !root_.archive_format.empty(); }

  DataLocation::Parts PartsOf(Split split) const { return root_.PartsOf(split, endings_, shards_); }

  // All of the folder is used, unless that takes in images that are for validation.
  absl::StatusOr<Part> WithoutPart(Split split) const {
    if (const auto pair = root_.FoldersLikeSplits();
        given_ == nullptr && !pair.empty() && !IsOfOtherFormat()) {
      return LikeSplits(pair);
    }
    const DataLocation::Parts validation = PartsOf(Split::kValidation);
    if (split == Split::kValidation || validation.empty()) return Part();
    const std::string& name =
        validation.folders.empty() ? validation.files[0] : validation.folders[0];
    if (const std::vector<std::string> others = Others(); !others.empty()) {
      return Unclear(name, others);
    }
    return Part{
        {},
        {absl::StrCat("all of '", root_.path, "' is used, with '", name, "': it has no train")}};
  }

  // Whether files in the folder say what its folders are, such as a list of all images.
  bool IsOfOtherFormat() const {
    const std::vector<NamedFormat> all = AllFormats();
    return std::any_of(all.begin(), all.end(), [&](const NamedFormat& format) {
      return format.first != kClassFolders && format.second->MatchesFolder(root_);
    });
  }

  // What holds images and has no split's name: folders; beside shards of a split, other shards.
  std::vector<std::string> Others() const {
    std::vector<std::string> others = root_.OtherImageFolders();
    for (const auto& [ending, file] : root_.other_files) {
      if (IsShard(file)) others.push_back(file);
    }
    return others;
  }

  std::string ShardKind(const std::string& file) const {
    for (const auto& [name, format] : AllFormats()) {
      for (const std::string& ending : format->ShardEndings()) {
        if (absl::EndsWithIgnoreCase(file, ending)) return name;
      }
    }
    return "";
  }
  bool IsShard(const std::string& file) const {
    return std::any_of(shards_.begin(), shards_.end(), [&](const std::string& ending) {
      return absl::EndsWithIgnoreCase(file, ending);
    });
  }

  absl::Status Several(const std::vector<std::string>& paths, Split split) const {
    return absl::InvalidArgumentError(absl::StrCat(
        Quoted(paths), " could each be the ", ToString(split), " images of '", root_.path, "'; ",
        in_archive() ? "unpack the archive, and give one of them as data"
                     : absl::StrCat("choose one with ",
                                    split == Split::kValidation ? "--val=PLACE" : "--data=PLACE",
                                    ", or its format with --dataset")));
  }

  absl::Status Unclear(const std::string& part, const std::vector<std::string>& others) const {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", root_.path, "' holds '", part, "' and also ", Quoted(others),
        ": is it a split, or a class like the others? For the split, ",
        in_archive() ? "unpack the archive and give the folder"
                     : "give --data=PLACE (and --val=PLACE)",
        "; for classes, give --dataset=", in_archive() ? root_.archive_format : "image_folder",
        ":splits=false"));
  }

  absl::Status LikeSplits(const std::vector<std::string>& pair) const {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", root_.path, "' holds ", Quoted(pair), ": are they splits, or classes? For splits, ",
        in_archive() ? "unpack the archive and give --data=PLACE and --val=PLACE"
                     : absl::StrCat("give --data=", base::ShellQuoted(root_ / pair[0]),
                                    " and --val=", base::ShellQuoted(root_ / pair[1])),
        "; for classes, give --dataset=", in_archive() ? root_.archive_format : kClassFolders,
        ":splits=false"));
  }

  const DataLocation& root_;
  const Format* given_;
  const std::vector<std::string> endings_, shards_;
};

}  // namespace

std::vector<NamedFormat> AllFormats() {
  std::vector<NamedFormat> formats;
  for (const std::string& name : Datasets().Names()) {
    if (auto format = Datasets().Create(name); format.ok()) {
      formats.emplace_back(name, *std::move(format));
    }
  }
  return formats;
}

std::vector<std::string> EndingsOf(const Format* given, Endings endings) {
  if (given != nullptr) return (given->*endings)();
  std::set<std::string> all;
  for (const auto& [name, format] : AllFormats()) {
    for (const std::string& ending : ((*format).*endings)()) all.insert(ending);
  }
  return {all.begin(), all.end()};
}

std::string Part::place() const {
  return paths.size() == 1 ? paths[0] : absl::StrCat(paths[0], " and ", paths.size() - 1, " more");
}

absl::StatusOr<Part> FindPart(const DataLocation& root, Split split, const Format* given) {
  return Splits(root, given).Find(split);
}

}  // namespace data
