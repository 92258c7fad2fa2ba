// Where data lies: splits, and what a folder or file shows by its names.
#ifndef DATA_LOCATION_H_
#define DATA_LOCATION_H_

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace data {

// The images of a data set that are for pretraining, for training a classifier, or for validation.
enum class Split { kPretraining, kTraining, kValidation };

// "pretraining", "training", "validation".
const char* ToString(Split split);

// The inverse of ToString. InvalidArgument, naming the valid words, for anything else.
absl::StatusOr<Split> ReadSplit(absl::string_view text);

// "a-{000..012}.tar": a-000.tar, a-001.tar, ..., for every such range in `path`; without a range,
// `path` alone. Ranges of more than 1,000,000 numbers, and those that go down, are left as they
// are written.
std::vector<std::string> ExpandRanges(const std::string& path);

// A folder, a file, or several files that a range of numbers names.
struct DataLocation {
  std::string path;
  bool is_folder = false;
  // Of a folder: the names of one folder and of one image in it (empty if there is none), and the
  // endings of the names of all its files (".tar"). Hidden entries are left out.
  std::string folder, image;
  std::set<std::string, std::less<>> endings;

  // NotFound if nothing is there.
  static absl::StatusOr<DataLocation> At(const std::string& path);

  // Whether it is not a folder, and its name has this ending.
  bool EndsWith(absl::string_view ending) const;

  // Whether it is a folder that has this entry.
  bool Has(absl::string_view entry) const;

  // The path of an entry.
  std::string operator/(absl::string_view entry) const;

  // Of a folder, the entries that are a split's: a folder, or files with one of `endings`, called
  // unlabeled or train (for pretraining), train (for training), val or test (for validation). The
  // second name counts only where nothing has the first.
  struct Parts {
    std::string folder;              // its path; empty: none
    std::vector<std::string> files;  // paths
  };
  Parts PartsOf(Split split, const std::vector<std::string>& endings) const;
};

}  // namespace data

#endif  // DATA_LOCATION_H_
