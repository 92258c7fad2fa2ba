#include "data/location.h"

#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/files.h"
#include "data/listing.h"
#include "data/unread.h"

namespace data {
namespace {

constexpr int64_t kMaxRange = 1'000'000;

bool AllDigits(absl::string_view text) {
  for (const char c : text) {
    if (!absl::ascii_isdigit(c)) return false;
  }
  return !text.empty() && text.size() <= 9;
}

// Names of splits in common use, the same groups of names as in Hugging Face's `datasets`.
using Words = std::vector<absl::string_view>;
const Words& UnlabeledWords() {
  static const Words& words = *new Words{"unlabeled", "unlabelled"};
  return words;
}
const Words& TrainWords() {
  static const Words& words = *new Words{"train", "training"};
  return words;
}
const Words& ValidationWords() {
  static const Words& words = *new Words{"val", "valid", "validation", "dev"};
  return words;
}
const Words& TestWords() {
  static const Words& words = *new Words{"test", "testing", "eval", "evaluation"};
  return words;
}

std::vector<const Words*> AllGroups() {
  return {&UnlabeledWords(), &TrainWords(), &ValidationWords(), &TestWords()};
}

// The names of a split's parts, those of the first choice first.
std::vector<const Words*> NamesOf(Split split) {
  switch (split) {
    case Split::kPretraining:
      return {&UnlabeledWords(), &TrainWords()};
    case Split::kTraining:
      return {&TrainWords()};
    case Split::kValidation:
      return {&ValidationWords(), &TestWords()};
  }
  return {};
}

// The group of names to which a word belongs; null if to none.
const Words* GroupOf(absl::string_view word) {
  for (const Words* words : AllGroups()) {
    for (const absl::string_view known : *words) {
      if (absl::EqualsIgnoreCase(word, known)) return words;
    }
  }
  return nullptr;
}

// The groups of the words of a name: what lies between characters other than letters.
std::set<const Words*> GroupsIn(absl::string_view name) {
  std::set<const Words*> groups;
  for (size_t begin = 0, end = 0; begin < name.size(); begin = end + 1) {
    for (end = begin; end < name.size() && absl::ascii_isalpha(name[end]); ++end) {
    }
    if (const Words* group = GroupOf(name.substr(begin, end - begin))) groups.insert(group);
  }
  return groups;
}

// ".tar", ".tar.gz"; empty if the name has no dot.
absl::string_view EndingOf(absl::string_view name) {
  size_t dot = name.rfind('.');
  if (dot == absl::string_view::npos) return "";
  for (const char* packed : {".gz", ".bz2", ".xz", ".zst"}) {
    if (dot == 0 || name.substr(dot) != packed) continue;
    const size_t before = name.rfind('.', dot - 1);
    if (before != absl::string_view::npos) dot = before;
    break;
  }
  return name.substr(dot);
}

// The part of a name before one of `endings`; empty if it has none of them.
absl::string_view StemOf(absl::string_view name, const std::vector<std::string>& endings) {
  for (const std::string& ending : endings) {
    if (absl::EndsWithIgnoreCase(name, ending)) return name.substr(0, name.size() - ending.size());
  }
  return "";
}

// Whether a folder, or one below it, has a file whose name `is_one` says to be an image.
bool HoldsImages(const std::string& folder, bool (*is_one)(absl::string_view name), int depth = 0) {
  constexpr int kDeepest = 32;  // links may go round
  bool found = false;
  std::vector<std::string> folders;
  const absl::Status end = ForEachEntry(folder, [&](absl::string_view name, bool is_folder) {
    if (is_folder) folders.push_back(absl::StrCat(folder, "/", name));
    found = !is_folder && is_one(name);
    return found ? absl::CancelledError() : absl::OkStatus();
  });
  if (found || depth == kDeepest || !end.ok()) return found;
  for (const std::string& below : folders) {
    if (HoldsImages(below, is_one, depth + 1)) return true;
  }
  return false;
}

bool IsImage(absl::string_view name) { return HasImageName(name) || !UnreadEnding(name).empty(); }

}  // namespace

const char* ToString(Split split) {
  return split == Split::kPretraining ? "pretraining"
         : split == Split::kTraining  ? "training"
                                      : "validation";
}

absl::StatusOr<Split> ReadSplit(absl::string_view text) {
  for (const Split split : {Split::kPretraining, Split::kTraining, Split::kValidation}) {
    if (text == ToString(split)) return split;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--split is '", text, "', must be pretraining, training or validation"));
}

std::vector<absl::string_view> SplitWords() {
  std::vector<absl::string_view> all;
  for (const Words* words : AllGroups()) all.insert(all.end(), words->begin(), words->end());
  return all;
}

absl::string_view SplitNameOf(absl::string_view word) {
  const Words* group = GroupOf(word);
  return group == nullptr ? "" : group->front();
}

std::vector<std::string> ExpandRanges(const std::string& path) {
  for (size_t open = path.find('{'); open != std::string::npos; open = path.find('{', open + 1)) {
    const size_t dots = path.find("..", open), close = path.find('}', open);
    if (dots == std::string::npos || close == std::string::npos || dots > close) continue;
    const std::string from = path.substr(open + 1, dots - open - 1);
    const std::string to = path.substr(dots + 2, close - dots - 2);
    int64_t first, last;
    if (!AllDigits(from) || !AllDigits(to) || !absl::SimpleAtoi(from, &first) ||
        !absl::SimpleAtoi(to, &last) || last < first || last - first >= kMaxRange) {
      continue;
    }
    std::vector<std::string> paths;
    for (const std::string& rest : ExpandRanges(path.substr(close + 1))) {
      for (int64_t i = first; i <= last; ++i) {
        paths.push_back(absl::StrFormat("%s%0*d%s", path.substr(0, open),
                                        static_cast<int>(from.size()), i, rest));
      }
    }
    return paths;
  }
  return {path};
}

absl::StatusOr<DataLocation> DataLocation::At(const std::string& path) {
  DataLocation location;
  location.path = path;
  struct stat info;
  const std::string first = ExpandRanges(path)[0];
  if (stat(path.c_str(), &info) != 0 && stat(first.c_str(), &info) != 0) {
    return base::ErrnoStatus("cannot open data", first);
  }
  location.is_folder = S_ISDIR(info.st_mode);
  if (!location.is_folder) return location;
  absl::Status status = ForEachEntry(path, [&](absl::string_view name, bool is_folder) {
    if (is_folder) {
      location.folders.emplace_back(name);
      return absl::OkStatus();
    }
    const absl::string_view ending = EndingOf(name);
    if (!ending.empty() && location.endings.find(ending) == location.endings.end()) {
      location.endings.emplace(ending);
    }
    if (HasImageName(name)) {
      if (location.images++ == 0) location.image = std::string(name);
    } else if (GroupsIn(name.substr(0, name.size() - ending.size())).size() == 1) {
      location.split_files.emplace_back(name);
    } else if (location.other_files.find(ending) == location.other_files.end()) {
      location.other_files.emplace(ending, name);
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  std::sort(location.folders.begin(), location.folders.end());
  std::sort(location.split_files.begin(), location.split_files.end());
  return location;
}

bool DataLocation::EndsWith(absl::string_view ending) const {
  return !is_folder && absl::EndsWithIgnoreCase(path, ending);
}

bool DataLocation::Has(absl::string_view entry) const {
  struct stat info;
  return is_folder && stat((*this / entry).c_str(), &info) == 0;
}

std::string DataLocation::operator/(absl::string_view entry) const {
  return absl::StrCat(path, absl::EndsWith(path, "/") ? "" : "/", entry);
}

DataLocation::Parts DataLocation::PartsOf(Split split, const std::vector<std::string>& endings,
                                          const std::vector<std::string>& shard_endings) const {
  Parts parts;
  if (!is_folder) return parts;
  for (const Words* words : NamesOf(split)) {
    std::set<std::pair<dev_t, ino_t>> seen;
    for (const std::string& name : folders) {
      struct stat info;
      if (GroupOf(name) != words) continue;
      if (!archive_format.empty()) {
        parts.folders.push_back(*this / name);
        continue;
      }
      if (stat((*this / name).c_str(), &info) != 0) continue;
      if (seen.emplace(info.st_dev, info.st_ino).second) parts.folders.push_back(*this / name);
    }
    for (const std::string& name : split_files) {
      const absl::string_view shard = StemOf(name, shard_endings);
      if (shard.empty() ? GroupOf(StemOf(name, endings)) == words
                        : GroupsIn(shard) == std::set<const Words*>{words}) {
        parts.files.push_back(*this / name);
      }
    }
    if (!parts.empty()) return parts;
    parts.second_choice = true;
  }
  return parts;
}

// Arrays are images if no folder at all holds others.
std::vector<std::string> DataLocation::OtherImageFolders() const {
  bool (*is_one)(absl::string_view) = IsImage;
  const auto holds = [&](const std::string& name) {
    return !archive_format.empty() || HoldsImages(*this / name, is_one);
  };
  if (images == 0 && std::none_of(folders.begin(), folders.end(), holds)) is_one = HasArrayName;
  std::vector<std::string> others;
  for (const std::string& name : folders) {
    if (GroupOf(name) == nullptr && holds(name)) others.push_back(name);
  }
  return others;
}

std::vector<std::string> DataLocation::FoldersLikeSplits() const {
  std::vector<std::vector<std::string>> like;  // by split
  for (const Split split : {Split::kPretraining, Split::kValidation}) {
    like.emplace_back();
    for (const std::string& name : folders) {
      for (const Words* words : NamesOf(split)) {
        if (GroupsIn(name) == std::set<const Words*>{words}) like.back().push_back(name);
      }
    }
    if (like.back().empty()) return {};  // without a look into folders: there may be thousands
  }
  const std::vector<std::string> with_images = OtherImageFolders();
  std::vector<std::string> pair;
  for (const std::vector<std::string>& names : like) {
    const auto holds = [&](const std::string& name) {
      return std::binary_search(with_images.begin(), with_images.end(), name);
    };
    const auto first = std::find_if(names.begin(), names.end(), holds);
    if (first == names.end()) return {};
    pair.push_back(*first);
  }
  return pair;
}

}  // namespace data
