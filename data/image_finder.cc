#include "data/image_finder.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "data/codec.h"
#include "data/location.h"
#include "data/table.h"

namespace data {
namespace {

bool IsFile(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

// Without the ending of an image or an array.
absl::string_view StemOf(absl::string_view name) {
  for (const auto* endings : {&ImageEndings(), &ArrayEndings()}) {
    for (const std::string& ending : *endings) {
      if (absl::EndsWithIgnoreCase(name, ending))
        return name.substr(0, name.size() - ending.size());
    }
  }
  return name;
}

// Of several files that a name without an ending fits, an array is meant only if there is no image.
template <class Files>
void PreferImages(Files& files) {
  if (std::any_of(files.begin(), files.end(), HasImageName)) std::erase_if(files, HasArrayName);
}

// The folders of a name with the last slash, and the rest.
std::pair<absl::string_view, absl::string_view> Cut(absl::string_view name) {
  const size_t begin = name.rfind('/') + 1;  // npos + 1 is 0
  return {name.substr(0, begin), name.substr(begin)};
}

absl::Status Ambiguous(absl::string_view name, absl::string_view a, absl::string_view b) {
  return absl::InvalidArgumentError(absl::StrCat(
      "'", name, "' could be '", a, "' or '", b,
      "'; give the folder that names are relative to: --dataset=file_list:root=FOLDER"));
}

}  // namespace

ImageFinder::ImageFinder(std::string folder, std::string root)
    : folder_(std::move(folder)), root_(std::move(root)) {
  if (!root_.empty()) {
    bases_ = {absl::EndsWith(root_, "/") ? root_ : root_ + "/"};
  } else {
    bases_ = {folder_, folder_ + "../", base::UserPath(".") + "/"};
  }
}

const ImageFinder::Stems& ImageFinder::StemsOf(const std::string& folder) {
  const auto [entry, is_new] = stems_.try_emplace(folder);
  Stems& stems = entry->second;
  if (is_new) {
    ForEachEntry(folder.empty() ? "." : folder, [&](absl::string_view name, bool is_folder) {
      if (!is_folder && (HasImageName(name) || HasArrayName(name))) {
        stems[std::string(StemOf(name))].emplace_back(name);
      }
      return absl::OkStatus();
    }).IgnoreError();  // a folder that is not there has no images
    for (auto& [stem, files] : stems) PreferImages(files);
  }
  return stems;
}

absl::StatusOr<std::string> ImageFinder::FindIn(const std::string& base, absl::string_view name) {
  const std::string path =
      absl::StartsWith(name, "/") ? std::string(name) : absl::StrCat(base, name);
  if (IsFile(path)) return std::string(name);
  const auto [folders, last] = Cut(path);
  if (last.empty() || HasImageName(last) || HasArrayName(last)) return absl::NotFoundError("");
  const Stems& stems = StemsOf(std::string(folders));
  const auto found = stems.find(std::string(last));
  if (found == stems.end()) return absl::NotFoundError("");
  const std::vector<std::string>& files = found->second;
  if (files.size() > 1) {
    return Ambiguous(name, absl::StrCat(folders, files[0]), absl::StrCat(folders, files[1]));
  }
  return absl::StrCat(Cut(name).first, files[0]);
}

absl::Status ImageFinder::ReadBelow() {
  if (tree_) return absl::OkStatus();
  auto tree = ReadTree(folder_.empty() ? "." : folder_);
  if (!tree.ok()) return tree.status();
  tree_ = std::move(tree->names);
  for (int64_t i = 0; i < tree_->size(); ++i) {
    const absl::string_view last = Cut((*tree_)[i]).second, stem = StemOf(last);
    last_[std::string(last)].push_back(i);
    if (stem != last) last_[std::string(stem)].push_back(i);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ImageFinder::FindBelow(absl::string_view name) {
  if (absl::Status s = ReadBelow(); !s.ok()) return s;
  const auto same_last = last_.find(std::string(Cut(name).second));
  std::vector<absl::string_view> fits;
  if (same_last != last_.end()) {
    for (const int64_t i : same_last->second) {
      const absl::string_view image = (*tree_)[i];
      const absl::string_view end = Cut(image).second == Cut(name).second ? image : StemOf(image);
      if (end == name || absl::EndsWith(end, absl::StrCat("/", name))) fits.push_back(image);
    }
  }
  PreferImages(fits);
  if (fits.empty()) return absl::NotFoundError("");
  if (fits.size() > 1) {
    return Ambiguous(name, absl::StrCat(folder_, fits[0]), absl::StrCat(folder_, fits[1]));
  }
  return std::string(fits[0]);
}

absl::StatusOr<std::string> ImageFinder::FindFirst(const std::string& name) {
  const auto decide = [&](const std::string& base, absl::string_view taken_away) {
    base_ = base;
    taken_away_ = std::string(taken_away);
    decided_ = true;
  };
  // Of two that do not answer, the one that found too much says more.
  absl::Status status = absl::NotFoundError("");
  const auto found = [&](const std::string& base, size_t cut) -> absl::StatusOr<std::string> {
    auto path = FindIn(base, absl::string_view(name).substr(cut));
    if (path.ok()) decide(base, name.substr(0, cut));
    if (!path.ok() && !absl::IsNotFound(path.status())) status = path.status();
    return path;
  };
  for (const std::string& base : bases_) {
    if (auto path = found(base, 0); path.ok()) return path;
    if (absl::StartsWith(name, "/")) break;
  }
  if (!status.ok() && !absl::IsNotFound(status)) return status;
  for (size_t begin = 0, slash; (slash = name.find('/', begin)) != std::string::npos;) {
    if (!SplitNameOf(name.substr(begin, slash - begin)).empty()) break;
    begin = slash + 1;
    for (const std::string& base : bases_) {
      if (auto path = found(base, begin); path.ok()) return path;
    }
  }
  if (!status.ok() && !absl::IsNotFound(status)) return status;
  if (!root_.empty() || absl::StartsWith(name, "/")) return status;
  auto path = FindBelow(name);
  if (path.ok()) {
    decide(folder_, "");
    below_ = true;
  }
  return path;
}

bool ImageFinder::Holds(absl::string_view cell) {
  const std::string name = FileNameOf(cell);
  if (name.empty()) return false;
  const auto holds = [](const absl::Status& status) { return !absl::IsNotFound(status); };
  for (const std::string& base : bases_) {
    if (holds(FindIn(base, name).status())) return true;
  }
  return root_.empty() && holds(FindBelow(name).status());
}

absl::StatusOr<std::string> ImageFinder::Find(absl::string_view cell) {
  const std::string name = FileNameOf(cell);
  absl::StatusOr<std::string> path = absl::NotFoundError("");
  if (!decided_) {
    path = FindFirst(name);
  } else if (below_) {
    path = FindBelow(name);
  } else if (absl::StartsWith(name, taken_away_)) {
    path = FindIn(base_, absl::string_view(name).substr(taken_away_.size()));
  }
  if (!absl::IsNotFound(path.status())) return path;
  // As it is written: a backslash may be part of a name.
  if (decided_ && !below_ && FindIn(base_, cell).ok()) return std::string(cell);
  std::vector<std::string> places = {base_};
  if (!decided_) places = bases_;
  for (std::string& place : places) {
    if (place.empty()) place = "./";
  }
  return absl::NotFoundError(absl::StrCat("there is no image '", cell, "' in '",
                                          absl::StrJoin(places, "', '"), "'",
                                          below_                       ? " or below it"
                                          : !decided_ && root_.empty() ? " or below the first"
                                                                       : ""));
}

std::string ImageFinder::Note() const {
  if (below_) return absl::StrCat("the images are looked for at any depth below '", folder_, "'");
  if (!taken_away_.empty()) {
    return absl::StrCat("'", taken_away_, "' at the beginning of names is read as '", base_, "'");
  }
  return "";
}

}  // namespace data
