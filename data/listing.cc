#include "data/listing.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/files.h"
#include "base/progress.h"
#include "base/utf8.h"
#include "base/work.h"
#include "data/codec.h"
#include "data/index_cache.h"
#include "data/unread.h"

namespace data {
namespace {

constexpr int64_t kCachedFrom = 50'000;  // images; fewer are read in a moment

int64_t Nanoseconds(const timespec& time) {
  return time.tv_sec * int64_t{1'000'000'000} + time.tv_nsec;
}

// What a path is sorted by: its first folder, its folders, and its own name.
std::tuple<absl::string_view, absl::string_view, absl::string_view> PathOrder(
    absl::string_view path) {
  const size_t last = path.rfind('/');
  if (last == absl::string_view::npos) return {"", "", path};
  return {path.substr(0, path.find('/')), path.substr(0, last), path.substr(last + 1)};
}

bool HasOneOf(const std::vector<std::string>& endings, absl::string_view name) {
  if (IsHidden(name)) return false;
  return std::any_of(endings.begin(), endings.end(), [&](const std::string& ending) {
    return absl::EndsWithIgnoreCase(name, ending);
  });
}

using FolderId = std::pair<uint64_t, uint64_t>;

// Adds the images below root/folder; `folder` ends with a slash, or is empty. `around` holds the
// folders that it lies in, so that a link to one of them is not followed.
absl::Status Scan(const std::string& root, const std::string& folder, std::set<FolderId>& around,
                  Tree& tree, base::Work& work) {
  const std::string path = folder.empty() ? root : absl::StrCat(root, "/", folder);
  const auto state = FolderState::Of(path);
  if (!state.ok()) return state.status();
  const FolderId id(state->device, state->inode);
  if (!around.insert(id).second) return absl::OkStatus();
  tree.folders.push_back(*state);
  absl::Status status = ForEachEntry(path, [&](const char* name, bool is_folder) {
    if (is_folder) return Scan(root, absl::StrCat(folder, name, "/"), around, tree, work);
    if (HasImageName(name) || HasArrayName(name) || !UnreadEnding(name).empty()) {
      tree.names.Add(absl::StrCat(folder, name));
      work.Done(tree.names.size());
    }
    return absl::OkStatus();
  });
  around.erase(id);
  return status;
}

// Entries of folders that are looked at: a tree without images may be large.
constexpr int kMostEntries = 10'000;

struct UnreadSearch {
  int entries = 0;
  int rank = -1;
  std::string path;

  void Look(const std::string& folder, int depth) {
    std::vector<std::string> folders;
    ForEachEntry(folder, [&](absl::string_view name, bool is_folder) {
      if (++entries > kMostEntries) return absl::ResourceExhaustedError("");
      std::string below = absl::StrCat(folder, absl::EndsWith(folder, "/") ? "" : "/", name);
      if (is_folder) {
        if (depth > 0) folders.push_back(std::move(below));
        return absl::OkStatus();
      }
      const int found = UnreadRank(name);
      if (found >= 0 && (rank < 0 || found < rank)) {
        rank = found;
        path = std::move(below);
      }
      return absl::OkStatus();
    }).IgnoreError();  // it is a hint; what cannot be read gives none
    std::sort(folders.begin(), folders.end());
    for (const std::string& below : folders) Look(below, depth - 1);
  }
};

// The names of the tree, from the cache if they are there.
absl::StatusOr<Names> AllImages(const std::string& root) {
  if (auto kept = ReadIndex(root)) return *std::move(kept);
  timespec began;
  clock_gettime(CLOCK_REALTIME, &began);
  auto tree = ReadTree(root);
  if (!tree.ok()) return tree.status();
  if (tree->names.size() >= kCachedFrom) WriteIndex(root, *tree, Nanoseconds(began));
  return std::move(tree->names);
}

}  // namespace

bool HasImageName(absl::string_view name) { return HasOneOf(ImageEndings(), name); }

bool HasArrayName(absl::string_view name) { return HasOneOf(ArrayEndings(), name); }

bool IsHidden(absl::string_view name) {
  return absl::StartsWith(name, ".") || absl::StrContains(name, "/.");
}

absl::Status ForEachEntry(
    const std::string& folder,
    const std::function<absl::Status(const char* name, bool is_folder)>& visit) {
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(folder.c_str()), closedir);
  if (!entries) return base::ErrnoStatus("cannot read folder", folder);
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(entries.get());
    if (entry == nullptr && errno == 0) return absl::OkStatus();
    if (entry == nullptr) return base::ErrnoStatus("cannot read folder", folder);
    if (entry->d_name[0] == '.') continue;
    bool is_folder = entry->d_type == DT_DIR;
    if (entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN) {
      struct stat info;
      is_folder =
          fstatat(dirfd(entries.get()), entry->d_name, &info, 0) == 0 && S_ISDIR(info.st_mode);
    }
    if (absl::Status s = visit(entry->d_name, is_folder); !s.ok()) return s;
  }
}

bool ComesBefore(absl::string_view a, absl::string_view b) { return PathOrder(a) < PathOrder(b); }

void Names::Add(absl::string_view name) {
  bytes_.append(name.data(), name.size());
  begins_.push_back(bytes_.size());
}

void Names::Sort() {
  std::vector<int64_t> order(size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [this](int64_t a, int64_t b) { return ComesBefore((*this)[a], (*this)[b]); });
  Names sorted;
  sorted.bytes_.reserve(bytes_.size());
  sorted.begins_.reserve(begins_.size());
  for (const int64_t i : order) sorted.Add((*this)[i]);
  *this = std::move(sorted);
}

absl::StatusOr<FolderState> FolderState::Of(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return base::ErrnoStatus("cannot read folder", path);
  return FolderState{path, info.st_dev, info.st_ino, Nanoseconds(info.st_mtim),
                     Nanoseconds(info.st_ctim)};
}

absl::StatusOr<Tree> ReadTree(const std::string& root) {
  Tree tree;
  std::set<FolderId> around;
  base::Progress progress(/*seconds_between=*/10, stderr);
  base::Work work(progress, absl::StrCat("reading the folders of '", root, "'"), /*all=*/0,
                  "images");
  if (absl::Status s = Scan(root, "", around, tree, work); !s.ok()) return s;
  tree.names.Sort();
  return tree;
}

bool UnreadImages::Add(absl::string_view name) {
  const absl::string_view ending = UnreadEnding(name);
  if (ending.empty()) return false;
  ++counts_[std::string(ending)];
  return true;
}

std::string UnreadImages::Text(absl::string_view folder) const {
  std::vector<std::string> counts, commands;
  for (const auto& [ending, count] : counts_) {
    counts.push_back(absl::StrCat(count, " ", ending));
    commands.push_back(HowToConvert(ending, folder));
  }
  return absl::StrCat(absl::StrJoin(counts, ", "),
                      " images, which this program does not read; convert them with: ",
                      absl::StrJoin(commands, "; "));
}

std::string ArraysNote(absl::string_view place, int64_t arrays) {
  return absl::StrCat("left out of '", place, "': ", arrays, " files of arrays (",
                      absl::StrJoin(ArrayEndings(), ", "),
                      "), which are images only where there are no others");
}

std::string UnreadFormIn(const std::string& folder) {
  UnreadSearch search;
  search.Look(folder, /*depth=*/3);
  if (search.rank < 0) return "";
  const absl::string_view ending = UnreadEnding(search.path);
  if (ending.empty()) return absl::StrCat("'", search.path, "' ", UnreadForm(search.path));
  return absl::StrCat(
      "it holds ", ending, " images such as '", search.path,
      "', which this program does not read; convert them with: ", HowToConvert(ending, folder));
}

absl::StatusOr<Names> ListImages(const std::string& root, std::vector<std::string>* notes) {
  auto names = AllImages(root);
  if (!names.ok()) return names.status();
  Names images, arrays;
  UnreadImages unread;
  for (int64_t i = 0; i < names->size(); ++i) {
    const absl::string_view name = (*names)[i];
    if (HasArrayName(name)) {
      arrays.Add(name);
    } else if (!unread.Add(name)) {
      images.Add(name);
    }
  }
  if (images.size() == 0) {
    std::swap(images, arrays);
  } else if (arrays.size() > 0) {
    notes->push_back(ArraysNote(root, arrays.size()));
  }
  if (images.size() == 0 && !unread.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", root, "' holds no images but ", unread.Text(root)));
  }
  if (images.size() == 0) {
    const std::string form = UnreadFormIn(root);
    return absl::InvalidArgumentError(
        absl::StrCat("'", root, "' holds no images (.jpg, .png, ...), and neither do its folders",
                     form.empty() ? "" : "; ", form));
  }
  if (!unread.empty()) {
    notes->push_back(absl::StrCat("left out of '", root, "': ", unread.Text(root)));
  }
  return images;
}

Classes ClassesOfFolders(const Names& sorted_names) {
  const auto folder = [&](int64_t i) {
    const size_t slash = sorted_names[i].find('/');
    return slash == absl::string_view::npos ? "" : sorted_names[i].substr(0, slash);
  };
  Classes classes;
  std::map<absl::string_view, int> numbers;
  for (int64_t i = 0; i < sorted_names.size(); ++i) numbers.emplace(folder(i), 0);
  numbers.erase("");
  for (auto& [name, number] : numbers) {
    number = static_cast<int>(classes.names.size());
    classes.names.push_back(base::EscapedUtf8(name));
  }
  numbers[""] = -1;
  for (int64_t i = 0; i < sorted_names.size(); ++i) classes.labels.push_back(numbers[folder(i)]);
  return classes;
}

std::vector<std::string> NumberedClasses(int64_t count) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < count; ++i) names.push_back(absl::StrCat(i));
  return names;
}

}  // namespace data
