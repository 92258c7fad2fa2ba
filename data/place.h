// Where data lies, as the formats tell theirs from others.
#ifndef DATA_PLACE_H_
#define DATA_PLACE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace data {

// Which images of a data set are wanted.
enum class Split { kPretraining, kTraining, kValidation };

// "pretraining", "training", "validation".
const char* ToString(Split split);

// What ToString says. InvalidArgument, naming what is known, for anything else.
absl::StatusOr<Split> ReadSplit(absl::string_view text);

// "a-{000..012}.tar": a-000.tar, a-001.tar, ..., for every such range in `path`; without one,
// `path` alone. Ranges of more than 1,000,000 numbers, and those that go down, are taken as they
// are written.
std::vector<std::string> ExpandRanges(const std::string& path);

// A folder or a file, or several by a range of numbers.
struct Place {
  std::string path;
  bool is_folder = false;
  // Of a folder's entries that are not hidden, one of each sort; empty: there is none.
  std::string folder, image, archive;

  // NotFound when nothing is there.
  static absl::StatusOr<Place> At(const std::string& path);

  bool EndsWith(absl::string_view ending) const;
  bool Has(absl::string_view entry) const;  // whether it is a folder and this is in it
  std::string operator/(absl::string_view entry) const;

  // The part of a folder that is a split's: a folder, .pack, .tar or .csv file that is called
  // unlabeled or train (for pretraining), train (for training), val or test (for validation). Empty
  // when there is none.
  std::string PartOf(Split split) const;
};

}  // namespace data

#endif  // DATA_PLACE_H_
