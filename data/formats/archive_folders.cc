#include "data/formats/archive_folders.h"

#include <iterator>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "data/splits.h"

namespace data {
namespace {

// The first folder of a name, with its slash; empty if it has none.
absl::string_view FirstFolder(absl::string_view name) { return name.substr(0, name.find('/') + 1); }

// The folder that all images lie in. It is not that of a split, and not that of a class: there are
// folders below it.
std::string WrapperOf(const std::vector<absl::string_view>& names) {
  std::string wrapper;
  while (!names.empty()) {
    absl::string_view first;
    bool deeper = false;
    for (size_t i = 0; i < names.size(); ++i) {
      const absl::string_view rest = names[i].substr(wrapper.size());
      const absl::string_view folder = FirstFolder(rest);
      if (folder.empty() || (i > 0 && folder != first)) return wrapper;
      first = folder;
      deeper |= absl::StrContains(rest.substr(folder.size()), "/");
    }
    if (!deeper || !SplitNameOf(absl::StripSuffix(first, "/")).empty()) return wrapper;
    absl::StrAppend(&wrapper, first);
  }
  return wrapper;
}

}  // namespace

std::string NameInArchive(absl::string_view name) {
  const bool is_plain = !absl::StartsWith(name, "/") && !absl::StrContains(name, "./") &&
                        !absl::StrContains(name, "//");
  if (is_plain) return std::string(name);
  std::vector<absl::string_view> parts;
  for (const absl::string_view part : absl::StrSplit(name, '/')) {
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
  }
  const bool is_folder = absl::EndsWith(name, "/") && !parts.empty();
  return absl::StrCat(absl::StrJoin(parts, "/"), is_folder ? "/" : "");
}

ArchiveFolders::ArchiveFolders(const std::vector<absl::string_view>& names,
                               const std::string& format, const std::string& path)
    : wrapper_(WrapperOf(names)) {
  root_.path = absl::StrCat(path, wrapper_.empty() ? "" : "/", absl::StripSuffix(wrapper_, "/"));
  root_.is_folder = true;
  root_.archive_format = format;
  std::set<std::string> folders;
  for (absl::string_view name : names) {
    name.remove_prefix(wrapper_.size());
    const absl::string_view folder = FirstFolder(name);
    if (!folder.empty()) {
      folders.emplace(absl::StripSuffix(folder, "/"));
    } else if (root_.images++ == 0) {
      root_.image = std::string(name);
    }
  }
  root_.folders.assign(folders.begin(), folders.end());
}

bool ArchiveFolders::HasSplits() const {
  for (const Split split : {Split::kPretraining, Split::kTraining, Split::kValidation}) {
    if (!root_.PartsOf(split, {}, {}).empty()) return true;
  }
  return false;
}

absl::StatusOr<ArchivePart> ArchiveFolders::PartOf(Split split) const {
  auto part = FindPart(root_, split, nullptr);
  if (!part.ok()) return part.status();
  ArchivePart found{wrapper_, std::move(part->notes)};
  if (!part->paths.empty()) {
    absl::StrAppend(&found.base, part->paths[0].substr((root_ / "").size()), "/");
    return found;
  }
  if (split == Split::kValidation && !root_.PartsOf(Split::kTraining, {}, {}).empty()) {
    return absl::NotFoundError(
        absl::StrCat("'", root_ / "val", "' does not exist; the archive has only training images, ",
                     "so name those for validation: --val=DATA2"));
  }
  if (!wrapper_.empty()) {
    const absl::string_view folder = absl::StripSuffix(wrapper_, "/");
    found.notes.push_back(absl::StrCat("the images of '",
                                       absl::StripSuffix(root_.path, absl::StrCat("/", folder)),
                                       "' are those in its folder '", folder, "'"));
  }
  return found;
}

}  // namespace data
