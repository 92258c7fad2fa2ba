// What folders, archives and lists of images have in common: which names are those of images, what
// a folder holds, names kept in little memory, and classes by names.
#ifndef DATA_LISTING_H_
#define DATA_LISTING_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace data {

// Whether a file of this name, perhaps with folders, is listed as an image: its ending, in upper or
// lower case, is one of ImageEndings() (data/codec.h), and no part of it is hidden (`.x`). What it
// holds is known when it is decoded.
bool HasImageName(absl::string_view name);

// The same for ArrayEndings(): `x.npy` is listed as an image only where nothing has the name of an
// image of another format.
bool HasArrayName(absl::string_view name);

// Whether any part of the name is hidden, as `._000.cls` of macOS is.
bool IsHidden(absl::string_view name);

// Calls `visit` with each entry of a folder that is not hidden, in the file system's order, until
// `visit` returns an error. The type comes with the name; stat(2) is called only for links (which
// are followed) and where the file system does not give the type.
absl::Status ForEachEntry(
    const std::string& folder,
    const std::function<absl::Status(const char* name, bool is_folder)>& visit);

// Whether path `a` comes before `b` in torchvision's ImageFolder: paths are sorted by their first
// folder, then by all of their folders, as one text, and then by their own name. So the files of a
// folder come before those of the folders in it.
bool ComesBefore(absl::string_view a, absl::string_view b);

// Names one after the other in one piece of memory: 8 bytes for each beside its characters.
class Names {
 public:
  void Add(absl::string_view name);

  void Sort();  // by ComesBefore

  int64_t size() const { return static_cast<int64_t>(begins_.size()) - 1; }
  absl::string_view operator[](int64_t i) const {
    return absl::string_view(bytes_).substr(begins_[i], begins_[i + 1] - begins_[i]);
  }

 private:
  std::string bytes_;
  std::vector<uint64_t> begins_ = {0};  // and the end
};

// The state of a folder before it was read.
struct FolderState {
  std::string path;
  uint64_t device, inode;
  int64_t modified, changed;  // nanoseconds

  // NotFound, or another error of stat(2).
  static absl::StatusOr<FolderState> Of(const std::string& path);
};

// The images in a folder and in those below it, relative to it, sorted (Names::Sort). Links are
// followed, except to a folder that they lie in; hidden files and folders are left out.
struct Tree {
  // Those of arrays and of kinds that the program does not read (data/unread.h) among them.
  Names names;
  std::vector<FolderState> folders;
};
absl::StatusOr<Tree> ReadTree(const std::string& root);

// Counts the images of kinds that the program does not read (data/unread.h).
class UnreadImages {
 public:
  // Whether a file of this name is one.
  bool Add(absl::string_view name);

  bool empty() const { return counts_.empty(); }

  // "3 .heic images, which this program does not read; convert them with: ...": commands for the
  // files below `folder`.
  std::string Text(absl::string_view folder) const;

 private:
  std::map<std::string, int64_t> counts_;  // of each ending
};

// A note on arrays that are no images, since there are others in `place`.
std::string ArraysNote(absl::string_view place, int64_t arrays);

// What the most telling file of the kinds of UnreadForm in a folder and its folders is, with its
// path: "'x/a.tfrecord' is ..."; empty if there is none. Among them are files that are read if they
// are given themselves.
std::string UnreadFormIn(const std::string& folder);

// The names of the tree at `root`: images, or arrays if there are no images. Those of large trees
// are kept in the user's cache (data/index_cache.h). Images of kinds that the program does not
// read, and arrays beside images, are left out; `notes` then gets a sentence that counts them and
// says what to do. InvalidArgument if there are no images, or none of a kind that is read.
absl::StatusOr<Names> ListImages(const std::string& root, std::vector<std::string>* notes);

// The class of each name: its first folder, as in torchvision's ImageFolder.
struct Classes {
  std::vector<int> labels;         // of each name; -1: in no folder
  std::vector<std::string> names;  // sorted by the bytes that they have on the disk
};
Classes ClassesOfFolders(const Names& sorted_names);

// Larger labels are refused: no data set has more classes, and a damaged file may say anything.
constexpr int64_t kMaxClasses = 1 << 20;

// "0", "1", ..., for classes that have numbers and no names.
std::vector<std::string> NumberedClasses(int64_t count);

}  // namespace data

#endif  // DATA_LISTING_H_
