// The files that a list of images names.
#ifndef DATA_IMAGE_FINDER_H_
#define DATA_IMAGE_FINDER_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/listing.h"

namespace data {

// Finds files by the names in a list. The first name decides what all of them are relative to; it
// is looked for
//
// - in the folder of the list, in the folder above it, and in the working directory;
// - there without its first folders (`/kaggle/input/x/1.jpg` as 1.jpg), unless one of these is
//   named like a split, as then train/1.jpg might be taken for val/1.jpg;
// - at any depth below the folder of the list, where each name must fit one file alone.
//
// A name without an ending is that of the one image that has it with an ending.
class ImageFinder {
 public:
  // `folder`: of the list, ending with a slash, or empty. `root`: where all names are relative to
  // instead; empty: as above.
  ImageFinder(std::string folder, std::string root);

  // Whether Find() would find a file for the name, if it were the first one.
  bool Holds(absl::string_view cell);

  // The path of the file, relative to base(). NotFound, saying where it was looked for, or
  // InvalidArgument, naming two of the files that it fits.
  absl::StatusOr<std::string> Find(absl::string_view cell);

  // Ends with a slash, or is empty. The same from the first Find() on.
  const std::string& base() const { return base_; }

  // What is taken away from the front of names, or how they are looked for; empty if nothing
  // unusual is done.
  std::string Note() const;

 private:
  // The images of a folder without their endings.
  using Stems = std::unordered_map<std::string, std::vector<std::string>>;

  absl::StatusOr<std::string> FindIn(const std::string& base, absl::string_view name);
  absl::StatusOr<std::string> FindFirst(const std::string& name);
  absl::StatusOr<std::string> FindBelow(absl::string_view name);
  const Stems& StemsOf(const std::string& folder);
  absl::Status ReadBelow();

  const std::string folder_, root_;
  std::vector<std::string> bases_;
  std::map<std::string, Stems> stems_;  // by folder

  bool decided_ = false;
  std::string base_;
  std::string taken_away_;  // from the front of all names
  bool below_ = false;      // names are looked for below folder_

  std::optional<Names> tree_;                                   // all images below folder_
  std::unordered_map<std::string, std::vector<int64_t>> last_;  // by the last part of their names
};

}  // namespace data

#endif  // DATA_IMAGE_FINDER_H_
