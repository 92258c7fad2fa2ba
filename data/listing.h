// What folders, archives and lists of images have in common: which names are images, what lies in a
// folder, names kept in little memory, and the classes that names tell.
#ifndef DATA_LISTING_H_
#define DATA_LISTING_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace data {

// Whether a file of this name, perhaps with folders, is taken for an image: .jpg, .jpeg, .png and
// other usual endings in any case, no part of it hidden (`.x`). What it holds is found out when it
// is decoded.
bool HasImageName(absl::string_view name);

// Calls `visit` with each entry of a folder that is not hidden, in the file system's order. The
// type comes with the name: only of links (which are followed) and where the file system does not
// tell it, is anything else asked for. Stops at an error of `visit`.
absl::Status ForEachEntry(
    const std::string& folder,
    const std::function<absl::Status(const char* name, bool is_folder)>& visit);

// Names one after the other in one piece of memory: 8 bytes for each beside its characters.
class Names {
 public:
  void Add(absl::string_view name);
  void Sort();

  int64_t size() const { return static_cast<int64_t>(begins_.size()) - 1; }
  absl::string_view operator[](int64_t i) const {
    return absl::string_view(bytes_).substr(begins_[i], begins_[i + 1] - begins_[i]);
  }

 private:
  std::string bytes_;
  std::vector<uint64_t> begins_ = {0};  // and the end
};

// A folder as it was before it was read.
struct FolderState {
  std::string path;
  uint64_t device, inode;
  int64_t modified, changed;  // nanoseconds

  // NotFound and the like when it cannot be asked.
  static absl::StatusOr<FolderState> Of(const std::string& path);
};

// The images in a folder and in those below it, relative to it, sorted. Links are followed, except
// to a folder that they lie in; hidden files and folders are left out.
struct Tree {
  Names names;
  std::vector<FolderState> folders;
};
absl::StatusOr<Tree> ReadTree(const std::string& root);

// The names of the tree at `root`. Those of large trees are kept in the user's cache
// (data/index_cache.h). InvalidArgument when there is none.
absl::StatusOr<Names> ListImages(const std::string& root);

// The class of each name: its first folder, as in torchvision's ImageFolder.
struct Classes {
  std::vector<int> labels;         // of each name; -1: in no folder
  std::vector<std::string> names;  // sorted
};
Classes ClassesOfFolders(const Names& sorted_names);

// Labels that are numbers: no data set has more classes, and a damaged file may say anything.
constexpr int64_t kMaxClasses = 1 << 20;

// "0", "1", ... for classes that have numbers only.
std::vector<std::string> NumberedClasses(int64_t count);

}  // namespace data

#endif  // DATA_LISTING_H_
